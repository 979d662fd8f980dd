#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/build.hpp"
#include "vmm/scenario/build_firmware.hpp"
#include "vmm/scenario/cpulist.hpp"
#include "vmm/scenario/nearest.hpp"
#include "vmm/scenario/places.hpp"
#include "vmm/scenario/reach.hpp"
#include "vmm/scenario/section.hpp"
#include "vmm/scenario/support.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

namespace reveille::vmm {
namespace {

constexpr std::uint8_t kFirstInterrupt = 32; // the vectors below are reserved for exceptions

/// One [[fault]], as far as it is right.
class FaultBuilder {
public:
  FaultBuilder(const Node &table, std::string path, const Limits &limits, std::mt19937_64 draw,
               Diagnostics &diag)
      : keys_(&table, KeySection::kFault, std::move(path), table.origin, diag), limits_(limits), draw_(draw),
        diag_(diag) {}

  void build() {
    read_place();
    read_action();
    read_cpu_list();
    read_numbers();
    if (placed())
      check_fit();
  }

  [[nodiscard]] const FaultSpec &fault() const { return fault_; }
  [[nodiscard]] bool placed() const { return kind_.has_value() && row_ != nullptr; }
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
  void read_own_keys();
  void read_vector();
  void read_target();
  void read_other_cpu();
  void check_fit();
  [[nodiscard]] std::string why_not(Fit fits) const;
  std::optional<std::vector<CpuIndex>> draw_cpus(std::string_view text);

  SectionReader keys_;
  const Limits &limits_;
  std::mt19937_64 draw_;
  Diagnostics &diag_;
  FaultSpec fault_;
  std::optional<PlaceKind> kind_;
  const ActionRow *row_ = nullptr;
};

void FaultBuilder::read_place() {
  const Node *at = keys_.find("at");
  if (at == nullptr)
    return;
  auto parsed = parse_place(at->text);
  if (!parsed)
    return keys_.reject("at", parsed.error());
  kind_ = parsed->kind;
  fault_.at = std::move(parsed->place);
  if (auto *code = std::get_if<CodePlace>(&fault_.at.where))
    code->told_as = keys_.told_as("at");
  if (kind_ == PlaceKind::kStop && !limits_.stops)
    keys_.reject("at",
                 "a fault at \"stop\" can never fire: bringup.stop is \"none\", and no INIT of giving up is "
                 "sent; set it to \"init\"");
}

void FaultBuilder::read_action() {
  const Node *action = keys_.find("action");
  if (action == nullptr)
    return;
  row_ = find_action(action->text);
  if (row_ == nullptr) {
    std::vector<std::string_view> names;
    for (const ActionRow &row : all_actions())
      names.push_back(row.name);
    keys_.reject("action",
                 fmt::format("unknown action \"{}\"{}", action->text, suggestion(action->text, names)));
  } else
    fault_.action = row_->action;
}

/// "random:K": K of the APs.
std::optional<std::vector<CpuIndex>> FaultBuilder::draw_cpus(std::string_view text) {
  const std::string_view number = text.substr(text.find(':') + 1);
  std::vector<CpuIndex> aps = cpu_range(1, limits_.max_cpus - 1);
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
  if (error != std::errc{} || end != number.data() + number.size() || count == 0 || count > aps.size()) {
    keys_.reject(
        "cpu", fmt::format("\"{}\" is not like \"random:K\", with K from 1 to the {} APs", text, aps.size()));
    return std::nullopt;
  }
  for (std::size_t i = 0; i < count; ++i)
    std::swap(aps[i], aps[i + draw_() % (aps.size() - i)]);
  aps.resize(count);
  std::ranges::sort(aps);
  return aps;
}

void FaultBuilder::read_cpu_list() {
  const Node *cpu = keys_.find("cpu");
  if (cpu == nullptr)
    return;
  const bool random = cpu->kind == Node::Kind::kText && cpu->text.starts_with("random:");
  auto cpus = random
                  ? draw_cpus(cpu->text)
                  : read_cpus(*cpu, keys_.path_of("cpu"), limits_, cpu_range(1, limits_.max_cpus - 1), diag_);
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
  else if (kind_ && !takes_control_cpu(*kind_) && fault_.strikes(0))
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
  else if (kind_ && comes_once(*kind_) && fault_.attempt > 1)
    keys_.reject("attempt", fmt::format("\"{}\" comes once, whatever the attempt", fault_.at.text));
  check_cycle();
  if (keys_.find("probability") != nullptr && fault_.probability <= 0)
    keys_.reject("probability", "a fault of probability 0 can never fire: give it one over 0, to 1");
  if (row_ == nullptr)
    return;
  read_duration();
  read_own_keys();
}

void FaultBuilder::check_cycle() {
  if (fault_.cycle > limits_.cycles)
    keys_.reject("cycle", fmt::format("a fault in cycle {} can never fire: bringup.cycles is {}",
                                      fault_.cycle, limits_.cycles));
  else if (kind_ && comes_once(*kind_) && fault_.cycle > 1)
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

/// Every key that not all actions take; what an action takes it needs, but for `error`.
void FaultBuilder::read_own_keys() {
  for (const std::string_view key :
       {"error", "percent", "vector", "address", "symbol", "to", "bits", "skew_us"})
    if (keys_.given(key) && !takes(*row_, key))
      keys_.reject(key, fmt::format("\"{}\" takes no {}", row_->name, key));
  for (const std::string_view key : {"percent", "vector", "to", "bits", "skew_us"})
    if (takes(*row_, key) && !keys_.given(key))
      diag_.add_missing(keys_.origin(), keys_.path_of(key),
                        fmt::format("missing; \"{}\" needs it", row_->name));
  fault_.error = static_cast<int>(keys_.number("error").value_or(fault_.error));
  fault_.percent = keys_.integer("percent").value_or(0);
  fault_.skew_us = keys_.number("skew_us").value_or(0);
  if (const Node *bits = keys_.find("bits"))
    fault_.bits = static_cast<std::uint64_t>(bits->integer);
  read_vector();
  read_target();
  read_other_cpu();
}

/// A LAPIC takes 16 and up (SDM 3, 11.5.2 "Valid Interrupt Vectors"), but up to 31 the handler is an
/// exception's (6.2 "Exception and Interrupt Vectors"), and cannot tell an interrupt from it.
void FaultBuilder::read_vector() {
  fault_.vector = static_cast<std::uint8_t>(keys_.integer("vector").value_or(0));
  if (fault_.action == Action::kInterrupt && keys_.find("vector") != nullptr &&
      fault_.vector < kFirstInterrupt)
    keys_.reject("vector",
                 fmt::format("{} is out of range: interrupts have vectors {}..255, and those below are of "
                             "exceptions",
                             fault_.vector, kFirstInterrupt));
}

void FaultBuilder::read_target() {
  if (fault_.action != Action::kJump)
    return;
  const bool address = keys_.given("address");
  if (address == keys_.given("symbol"))
    return address ? keys_.reject("symbol", "\"jump\" takes an address or a symbol, not both")
                   : diag_.add_missing(keys_.origin(), keys_.path_of("symbol"),
                                       "missing; \"jump\" needs it, or an address");
  if (const Node *value = keys_.find("address"))
    fault_.target.offset = static_cast<std::uint64_t>(value->integer);
  const Node *symbol = keys_.find("symbol");
  if (symbol == nullptr)
    return;
  auto code = parse_code(symbol->text);
  if (code && !code->symbol.empty()) {
    fault_.target = std::move(*code);
    fault_.target.told_as = keys_.told_as("symbol");
  } else
    keys_.reject("symbol", fmt::format("\"{}\" is not like \"NAME\" or \"NAME+0x10\"", symbol->text));
}

void FaultBuilder::read_other_cpu() {
  if (keys_.find("to") == nullptr)
    return;
  fault_.to = keys_.integer("to").value_or(0);
  if (fault_.to >= limits_.vcpus)
    keys_.reject(
        "to", fmt::format("there is no CPU {}: the machine has CPUs 0 to {}", fault_.to, limits_.vcpus - 1));
  else if (fault_.strikes(fault_.to))
    keys_.reject("to", fmt::format("CPU {} is one that the fault strikes; it must be another", fault_.to));
}

std::string FaultBuilder::why_not(Fit fits) const {
  if (fits == Fit::kBounded)
    return kind_ == PlaceKind::kPrepareStep
               ? "takes a delay, a bounded stall (duration_ms over 0) or fail only: the CP is held"
               : "takes a delay or a bounded stall only (duration_ms over 0): the CP is held";
  std::string names;
  for (const ActionRow &row : all_actions())
    if (fit(*kind_, row.action) != Fit::kNo)
      names += fmt::format("{}{}", names.empty() ? "takes " : ", ", row.name);
  return names;
}

void FaultBuilder::check_fit() {
  const Fit fits = fit(*kind_, row_->action);
  const bool is_held = fit(*kind_, Action::kStall) == Fit::kBounded;
  if (fits == Fit::kNo && fault_.action == Action::kFail)
    keys_.reject("action", fmt::format("\"{}\" cannot be at \"{}\": only a step fails, at \"step:NAME\"",
                                       row_->name, fault_.at.text));
  else if (fits == Fit::kNo)
    keys_.reject("action", fmt::format("\"{}\" cannot be at \"{}\", which {}", row_->name, fault_.at.text,
                                       why_not(is_held ? Fit::kBounded : Fit::kNo)));
  else if (fits == Fit::kBounded && fault_.duration_ms == 0)
    keys_.reject(keys_.given("duration_ms") ? "duration_ms" : "action",
                 fmt::format("\"{}\" {}", fault_.at.text, why_not(fits)));
}

std::optional<CpuIndex> common_cpu(const FaultSpec &a, const FaultSpec &b) {
  for (const CpuIndex cpu : a.cpus)
    if (b.strikes(cpu))
      return cpu;
  return std::nullopt;
}

std::string why_hidden(Hidden hidden, CpuIndex cpu, std::size_t by, const FaultSpec &fault) {
  if (hidden == Hidden::kNoStart)
    return fmt::format("can never fire on CPU {}: fault {}, {}, keeps it from being started", cpu, by,
                       name(fault.action));
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

std::vector<FaultSpec> build_faults(const Node *faults, const Limits &limits, std::uint64_t seed,
                                    Diagnostics &diag) {
  std::vector<FaultSpec> built;
  if (faults == nullptr)
    return built;
  std::vector<FaultBuilder> builders;
  builders.reserve(faults->children.size());
  for (std::size_t i = 0; i < faults->children.size(); ++i) {
    std::seed_seq each{seed & UINT32_MAX, seed >> 32, std::uint64_t{i}};
    builders
        .emplace_back(faults->children[i], fmt::format("fault.{}", i), limits, std::mt19937_64(each), diag)
        .build();
  }
  check_hidden(builders, limits);
  built.reserve(builders.size());
  for (const FaultBuilder &builder : builders)
    built.push_back(builder.fault());
  for (std::size_t i = 0; i < builders.size(); ++i) {
    if (builders[i].is_on_way_down())
      check_way_down(builders[i], built, limits);
    if (const auto mistake = builders[i].placed() ? firmware_mistake(built, i, limits) : std::nullopt)
      builders[i].reject(mistake->key, mistake->what);
  }
  return built;
}

} // namespace reveille::vmm
