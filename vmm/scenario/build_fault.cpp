#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/build.hpp"
#include "vmm/scenario/cpulist.hpp"
#include "vmm/scenario/nearest.hpp"
#include "vmm/scenario/places.hpp"
#include "vmm/scenario/reach.hpp"
#include "vmm/scenario/section.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

/// One [[fault]], as far as it is right.
class FaultBuilder {
public:
  FaultBuilder(const Node &table, std::string path, const Limits &limits, Diagnostics &diag)
      : keys_(&table, KeySection::kFault, std::move(path), table.origin, diag), limits_(limits), diag_(diag) {
  }

  void build() {
    read_place();
    read_action();
    read_cpu_list();
    read_numbers();
    if (kind_ && row_ != nullptr && row_->action)
      check_fit();
  }

  [[nodiscard]] const FaultSpec &fault() const { return fault_; }
  [[nodiscard]] bool placed() const { return kind_.has_value() && row_ != nullptr && row_->action; }
  [[nodiscard]] bool is_on_way_down() const { return placed() && kind_ == PlaceKind::kWayDown; }
  void reject(std::string_view name, std::string what) { keys_.reject(name, std::move(what)); }

private:
  void read_place();
  void read_action();
  void read_cpu_list();
  void check_cpus();
  void read_numbers();
  void check_cycle();
  void read_duration();
  void read_error();
  void check_fit();

  SectionReader keys_;
  const Limits &limits_;
  Diagnostics &diag_;
  FaultSpec fault_;
  std::optional<PlaceKind> kind_; ///< of a supported place
  const ActionRow *row_ = nullptr;
};

void FaultBuilder::read_place() {
  const Node *at = keys_.find("at");
  if (at == nullptr)
    return;
  auto parsed = parse_place(at->text);
  if (!parsed)
    keys_.reject("at", parsed.error());
  else if (!parsed->place)
    keys_.reject("at", fmt::format("\"{}\" is not supported yet", at->text));
  else {
    kind_ = parsed->kind;
    fault_.at = *parsed->place;
  }
}

void FaultBuilder::read_action() {
  const Node *action = keys_.find("action");
  if (action == nullptr)
    return;
  row_ = find_action(action->text);
  if (row_ == nullptr) {
    std::vector<std::string_view> names;
    for (const ActionRow &row : all_actions())
      if (row.action)
        names.push_back(row.name);
    keys_.reject("action",
                 fmt::format("unknown action \"{}\"{}", action->text, suggestion(action->text, names)));
  } else if (!row_->action)
    keys_.reject("action", fmt::format("\"{}\" is not supported yet", action->text));
  else
    fault_.action = *row_->action;
}

void FaultBuilder::read_cpu_list() {
  const Node *cpu = keys_.find("cpu");
  if (cpu == nullptr)
    return;
  if (cpu->kind == Node::Kind::kText && cpu->text.starts_with("random:"))
    return keys_.reject("cpu", fmt::format("\"{}\" is not supported yet", cpu->text));
  const auto all_aps = cpu_range(1, limits_.max_cpus - 1);
  auto cpus = read_cpus(*cpu, keys_.path_of("cpu"), limits_, all_aps, diag_);
  if (!cpus)
    return;
  fault_.cpus = std::move(*cpus);
  if (fault_.cpus.empty())
    return keys_.reject("cpu", "names no CPU: no AP is brought up");
  check_cpus();
}

void FaultBuilder::check_cpus() {
  if (fault_.cpus.back() >= limits_.max_cpus)
    keys_.reject(
        "cpu",
        fmt::format("a fault on CPU {} can never fire: only CPUs 0 to {} are brought up (max_cpus = {})",
                    fault_.cpus.back(), limits_.max_cpus - 1, limits_.max_cpus));
  else if (kind_ && !takes_control_cpu(*kind_) && fault_.cpus.front() == 0)
    keys_.reject("cpu", fmt::format("CPU 0 is the control CPU and never passes \"{}\", a place of the others",
                                    fault_.at.text));
}

void FaultBuilder::read_numbers() {
  fault_.attempt = keys_.integer("attempt").value_or(1);
  fault_.cycle = keys_.integer("cycle").value_or(1);
  fault_.count = keys_.integer("count").value_or(1);
  fault_.probability = keys_.number("probability").value_or(1);
  if (fault_.attempt > limits_.attempts)
    keys_.reject("attempt", fmt::format("a fault in attempt {} can never fire: bringup.attempts is {}",
                                        fault_.attempt, limits_.attempts));
  else if (kind_ == PlaceKind::kTime && fault_.attempt > 1)
    keys_.reject("attempt", fmt::format("\"{}\" comes once, whatever the attempt", fault_.at.text));
  check_cycle();
  if (row_ == nullptr || !row_->action)
    return;
  read_duration();
  read_error();
}

void FaultBuilder::check_cycle() {
  if (fault_.cycle > limits_.cycles)
    keys_.reject("cycle", fmt::format("a fault in cycle {} can never fire: bringup.cycles is {}",
                                      fault_.cycle, limits_.cycles));
  else if (kind_ == PlaceKind::kTime && fault_.cycle > 1)
    keys_.reject("cycle", fmt::format("\"{}\" comes once, whatever the cycle", fault_.at.text));
}

void FaultBuilder::read_duration() {
  const bool given = keys_.given("duration_ms");
  const Node *value = keys_.find("duration_ms");
  if (given && value == nullptr)
    return; // wrong, and said so
  fault_.duration_ms = keys_.number("duration_ms").value_or(0);
  if (row_->duration == Duration::kNone && given)
    keys_.reject("duration_ms", fmt::format("\"{}\" takes no duration", row_->name));
  else if (row_->duration == Duration::kRequired && !given)
    diag_.add_missing(keys_.origin(), keys_.path_of("duration_ms"),
                      fmt::format("missing; \"{}\" needs it, over 0", row_->name));
  else if (row_->duration == Duration::kRequired && fault_.duration_ms <= 0)
    keys_.reject("duration_ms", fmt::format("0 is out of range: \"{}\" needs a duration over 0", row_->name));
}

void FaultBuilder::read_error() {
  fault_.error = static_cast<int>(keys_.number("error").value_or(fault_.error));
  if (keys_.given("error") && fault_.action != Action::kFail)
    keys_.reject("error", fmt::format("\"{}\" takes no error", row_->name));
}

void FaultBuilder::check_fit() {
  const Fit fits = fit(*kind_, *row_->action);
  const std::string_view complaint =
      kind_ == PlaceKind::kPrepareStep
          ? "takes a delay, a bounded stall (duration_ms over 0) or fail only: the CP is held"
          : "takes a delay or a bounded stall only (duration_ms over 0): the CP is held";
  if (fits == Fit::kNo && fault_.action == Action::kFail)
    keys_.reject("action", fmt::format("\"{}\" cannot be at \"{}\": only a step fails, at \"step:NAME\"",
                                       row_->name, fault_.at.text));
  else if (fits == Fit::kNo)
    keys_.reject("action",
                 fmt::format("\"{}\" cannot be at \"{}\", which {}", row_->name, fault_.at.text, complaint));
  else if (fits == Fit::kBounded && fault_.duration_ms == 0)
    keys_.reject(keys_.given("duration_ms") ? "duration_ms" : "action",
                 fmt::format("\"{}\" {}", fault_.at.text, complaint));
}

std::optional<CpuIndex> common_cpu(const FaultSpec &a, const FaultSpec &b) {
  for (const CpuIndex cpu : a.cpus)
    if (std::ranges::binary_search(b.cpus, cpu))
      return cpu;
  return std::nullopt;
}

std::string why_hidden(Hidden hidden, CpuIndex cpu, std::size_t by, const FaultSpec &fault) {
  return fmt::format("can never fire on CPU {}: fault {} ends it at \"{}\" in {}", cpu, by, fault.at.text,
                     hidden == Hidden::kByIt ? std::string("the same attempt")
                                             : fmt::format("cycle {}, for good", first_cycle(fault)));
}

void check_hidden(std::vector<FaultBuilder> &builders, const Limits &limits) {
  const auto check = [&](std::size_t one, std::size_t other) {
    const FaultSpec &fault = builders[one].fault();
    const FaultSpec &by = builders[other].fault();
    if (one == other || !builders[one].placed() || !builders[other].placed())
      return false;
    const Hidden hidden = hides(by, other < one, fault, limits);
    const auto cpu = hidden == Hidden::kNo ? std::nullopt : common_cpu(by, fault);
    if (cpu)
      builders[one].reject("at", why_hidden(hidden, *cpu, other, by));
    return cpu.has_value();
  };
  for (std::size_t one = 0; one < builders.size(); ++one)
    for (std::size_t other = 0; other < builders.size(); ++other)
      if (check(one, other))
        break;
}

void check_way_down(FaultBuilder &builder, std::span<const FaultSpec> faults, const Limits &limits) {
  const FaultSpec &fault = builder.fault();
  const auto stays_up = [&](CpuIndex cpu) { return !goes_down(fault, cpu, faults, limits); };
  const auto cpu = std::ranges::find_if(fault.cpus, stays_up);
  if (cpu == fault.cpus.end() || fault.cycle > limits.cycles) // the latter has been said
    return;
  const bool all = std::ranges::all_of(fault.cpus, stays_up);
  const std::string where = all ? std::string{} : fmt::format(" on CPU {}", *cpu);
  if (limits.cycles == 1)
    builder.reject("at", fmt::format("a fault at \"{}\" can never fire{}: with cycles = 1 no CPU goes down",
                                     fault.at.text, where));
  else
    builder.reject("cycle", fmt::format("a fault at \"{}\" can never fire{} in cycle {}: after the last "
                                        "cycle no CPU goes down",
                                        fault.at.text, where, fault.cycle));
}

} // namespace

std::vector<FaultSpec> build_faults(const Node *faults, const Limits &limits, Diagnostics &diag) {
  std::vector<FaultSpec> built;
  if (faults == nullptr)
    return built;
  std::vector<FaultBuilder> builders;
  builders.reserve(faults->children.size());
  for (std::size_t i = 0; i < faults->children.size(); ++i)
    builders.emplace_back(faults->children[i], fmt::format("fault.{}", i), limits, diag).build();
  check_hidden(builders, limits);
  built.reserve(builders.size());
  for (const FaultBuilder &builder : builders)
    built.push_back(builder.fault());
  for (FaultBuilder &builder : builders)
    if (builder.is_on_way_down())
      check_way_down(builder, built, limits);
  return built;
}

} // namespace reveille::vmm
