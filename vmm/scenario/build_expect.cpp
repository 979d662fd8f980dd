#include "core/protocol/points.hpp"
#include "vmm/scenario/build.hpp"
#include "vmm/scenario/cpulist.hpp"
#include "vmm/scenario/nearest.hpp"
#include "vmm/scenario/places.hpp"
#include "vmm/scenario/section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace reveille::vmm {
namespace {

constexpr std::array<std::string_view, 5> kReasons{"timeout", "error", "crash", "absent", "lost"};
constexpr std::string_view kStepPrefix = "step:";

std::vector<std::string_view> failure_places() {
  std::vector<std::string_view> places;
  places.reserve(protocol::kPointCount + 2);
  for (const protocol::PointRow &point : protocol::kPoints)
    places.push_back(point.name);
  places.insert(places.end(), {"dying", "dead"});
  return places;
}

/// Why `text` is not a reason@place; empty when it is one.
std::string wrong_with_failure(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos)
    return fmt::format("\"{}\" is not a reason@place like \"timeout@alive\"", text);
  const std::string_view reason = text.substr(0, at);
  const std::string_view place = text.substr(at + 1);
  if (std::ranges::find(kReasons, reason) == kReasons.end())
    return fmt::format("unknown reason \"{}\"{}", reason, suggestion(reason, kReasons));
  const bool is_step = place.starts_with(kStepPrefix) && place.size() > kStepPrefix.size();
  if (is_step != (reason == "error"))
    return is_step ? fmt::format("\"{}\": only an error is at a step", text)
                   : fmt::format("\"{}\": an error is at a step, as in \"error@step:NAME\"", text);
  if (is_step) {
    const auto step = parse_step_name(place.substr(kStepPrefix.size()));
    return step ? std::string{} : step.error();
  }
  const auto places = failure_places();
  if (std::ranges::find(places, place) == places.end())
    return fmt::format("unknown place \"{}\"{}", place, suggestion(place, places));
  return {};
}

class ExpectBuilder {
public:
  ExpectBuilder(const Node *table, const Limits &limits, Diagnostics &diag)
      : keys_(table, KeySection::kExpect, "expect", {1, 1, -1}, diag), limits_(limits), diag_(diag) {}

  ExpectSpec build() {
    read_failed();
    read_online();
    read_attempts();
    expect_.within_ms = keys_.number("within_ms");
    return std::move(expect_);
  }

private:
  [[nodiscard]] std::vector<CpuIndex> requested() const { return cpu_range(0, limits_.max_cpus - 1); }
  /// The CPUs that a key of a per-CPU table names; what is wrong goes to the diagnostics.
  std::optional<std::vector<CpuIndex>> cpus_of(const Node &entry, const std::string &key);
  bool check_requested(const std::vector<CpuIndex> &cpus, Origin at, const std::string &key);
  void read_failed();
  void read_online();
  void check_complete();
  void read_attempts();

  SectionReader keys_;
  const Limits &limits_;
  Diagnostics &diag_;
  ExpectSpec expect_;
};

bool ExpectBuilder::check_requested(const std::vector<CpuIndex> &cpus, Origin at, const std::string &key) {
  if (cpus.empty() || cpus.back() < limits_.max_cpus)
    return true;
  diag_.add(at, key, fmt::format("CPU {} is not brought up (max_cpus = {})", cpus.back(), limits_.max_cpus));
  return false;
}

std::optional<std::vector<CpuIndex>> ExpectBuilder::cpus_of(const Node &entry, const std::string &key) {
  auto cpus = parse_cpulist(entry.name, limits_.vcpus);
  if (!cpus)
    diag_.add(entry.key_origin, key, cpus.error());
  if (!cpus || !check_requested(*cpus, entry.key_origin, key))
    return std::nullopt;
  return std::move(*cpus);
}

void ExpectBuilder::read_failed() {
  const Node *failed = keys_.find("failed");
  if (failed == nullptr)
    return;
  for (const Node &entry : failed->children) {
    const std::string key = keys_.path_of("failed") + "." + entry.name;
    const auto cpus = cpus_of(entry, key);
    if (entry.kind != Node::Kind::kText) {
      diag_.add(entry.origin, key, fmt::format("expected a reason@place, found {}", describe(entry)));
      continue;
    }
    if (std::string wrong = wrong_with_failure(entry.text); !wrong.empty()) {
      diag_.add(entry.origin, key, std::move(wrong));
      continue;
    }
    if (!cpus)
      continue;
    for (const CpuIndex cpu : *cpus)
      if (!expect_.failed.emplace(cpu, entry.text).second) {
        diag_.add(entry.key_origin, key, fmt::format("CPU {} is already in failed", cpu));
        break;
      }
  }
}

void ExpectBuilder::read_online() {
  const Node *online = keys_.find("online");
  if (online == nullptr) {
    for (const CpuIndex cpu : requested())
      if (!expect_.failed.contains(cpu))
        expect_.online.push_back(cpu);
    return;
  }
  const std::string key = keys_.path_of("online");
  auto cpus = read_cpus(*online, key, limits_, requested(), diag_);
  if (!cpus || !check_requested(*cpus, online->origin, key))
    return;
  expect_.online = std::move(*cpus);
  check_complete();
}

void ExpectBuilder::check_complete() {
  for (const CpuIndex cpu : expect_.online)
    if (expect_.failed.contains(cpu))
      return keys_.reject("online", fmt::format("CPU {} is in failed too", cpu));
  if (keys_.find("failed") == nullptr || !diag_.empty())
    return;
  for (const CpuIndex cpu : requested())
    if (!expect_.failed.contains(cpu) && !std::ranges::binary_search(expect_.online, cpu))
      return keys_.reject("online", fmt::format("CPU {} is neither here nor in failed", cpu));
}

void ExpectBuilder::read_attempts() {
  const Node *attempts = keys_.find("attempts");
  if (attempts == nullptr)
    return;
  for (const Node &entry : attempts->children) {
    const std::string key = keys_.path_of("attempts") + "." + entry.name;
    const auto cpus = cpus_of(entry, key);
    if (entry.kind != Node::Kind::kInteger)
      diag_.add(entry.origin, key, fmt::format("expected an integer, found {}", describe(entry)));
    else if (entry.integer < 1 || entry.integer > limits_.attempts)
      diag_.add(entry.origin, key,
                fmt::format("{} is out of range: 1..{} (bringup.attempts)", entry.integer, limits_.attempts));
    else
      for (const CpuIndex cpu : cpus.value_or(std::vector<CpuIndex>{}))
        if (!expect_.attempts.emplace(cpu, static_cast<std::uint32_t>(entry.integer)).second) {
          diag_.add(entry.key_origin, key, fmt::format("CPU {} is already in attempts", cpu));
          break;
        }
  }
}

} // namespace

ExpectSpec build_expect(const Node *expect, const Limits &limits, Diagnostics &diag) {
  return ExpectBuilder(expect, limits, diag).build();
}

} // namespace reveille::vmm
