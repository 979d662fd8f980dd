#include "vmm/report/words.hpp"

#include "core/protocol/states.hpp"
#include "vmm/base/printable.hpp"
#include "vmm/report/style.hpp"
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/cpulist.hpp"
#include "vmm/scenario/keys.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace reveille::vmm {
namespace {

/// The name that a scenario file gives to a value of one of its keys.
std::string_view bringup_choice(std::string_view key, std::size_t index) {
  const KeyRow *row = find_key(KeySection::kBringup, key);
  return row != nullptr && index < row->choices.size() ? row->choices[index] : "?";
}

} // namespace

std::string_view name(CpuOutcome outcome) {
  constexpr std::array<std::string_view, 3> kNames = {"online", "failed", "not-attempted"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

std::string_view verdict_of_failure(ExitStatus status) {
  switch (status) {
  case ExitStatus::kUsage:
    return "invalid";
  case ExitStatus::kUnsupported:
    return "unsupported";
  case ExitStatus::kInterrupted:
    return "interrupted";
  default:
    return "broken";
  }
}

std::string_view name(VerdictKind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"pass", "fail", "broken", "interrupted"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view name(abi::Strategy strategy) {
  return bringup_choice("strategy", static_cast<std::size_t>(strategy));
}

std::string_view name(abi::Wait wait) { return bringup_choice("wait", static_cast<std::size_t>(wait)); }

std::string ms_figure(double us) {
  const double ms = us / 1000;
  if (!std::isfinite(ms) || std::abs(ms) >= 1e9)
    return "?";
  const int digits = std::abs(ms) < 9.9995 ? 3 : std::abs(ms) < 99.995 ? 2 : std::abs(ms) < 999.95 ? 1 : 0;
  return fmt::format("{:.{}f}", ms, digits);
}

std::string ms_text(double us) { return ms_figure(us) + " ms"; }

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string cpus_text(const std::vector<CpuIndex> &cpus, std::size_t most) {
  if (cpus.empty())
    return "no CPU";
  std::string list = format_cpulist(cpus);
  if (list.size() > most) {
    const std::size_t comma = list.rfind(',', most);
    list = fmt::format("{},... ({} in all)", list.substr(0, comma == std::string::npos ? most : comma),
                       cpus.size());
  }
  return fmt::format("CPU{} {}", cpus.size() == 1 ? "" : "s", list);
}

std::string word_text(std::uint64_t bits) {
  if (!abi::Word::is_valid(bits))
    return fmt::format("not a word ({:#x})", bits);
  const abi::Word word = abi::Word::from(bits);
  std::string text = word.attempt == 0 ? "no attempt" : fmt::format("attempt {}", word.attempt);
  text += fmt::format(", {}", protocol::name(word.state));
  if (word.step != 0 || protocol::row(word.state).counts_steps)
    text += fmt::format(", step {}", word.step);
  return text;
}

std::string step_text(std::uint64_t section, std::uint64_t index, const StepNames &steps) {
  constexpr std::array<std::string_view, 4> kSections = {"", "PREPARE", "STARTING", "ONLINE"};
  if (section == 0 || section >= kSections.size())
    return fmt::format("step {} of no section ({})", index, section);
  if (const std::string_view name = steps.find(section, index); !name.empty())
    return fmt::format("{} step \"{}\"", kSections[section], printable(std::string(name)));
  return fmt::format("{} step {}", kSections[section], index);
}

std::string at_rip_text(std::uint64_t rip) {
  return rip == 0 ? std::string() : fmt::format(" at rip {:#x}", rip);
}

std::string in_text(const std::string &where) { return where.empty() ? "" : ", in " + printable(where); }

std::string fault_text(const FaultSpec &fault) {
  std::string text = fmt::format("{} at {}", name(fault.action), printable(fault.at.text));
  if (fault.action == Action::kFail)
    return text + fmt::format(" with {}", fault.error);
  if (is_one_of(fault.action, {Action::kInterrupt, Action::kSpuriousSipi, Action::kWrongVector}))
    return text + fmt::format(", vector {}", fault.vector);
  if (is_one_of(fault.action, {Action::kSameId, Action::kSwapId}))
    return text + fmt::format(", CPU {}'s", fault.to);
  if (fault.action == Action::kFlip)
    return text + fmt::format(", bits {:#x}", fault.bits);
  if (fault.action == Action::kSkew)
    return text + fmt::format(" by {} us", fault.skew_us);
  if (!fault.holds())
    return text;
  if (fault.endless())
    return text + " for ever";
  return text + fmt::format(" for {} ms", fault.duration_ms);
}

} // namespace reveille::vmm
