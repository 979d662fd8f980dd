#include "vmm/faults/engine.hpp"

#include "core/protocol/states.hpp"
#include "vmm/scenario/chance.hpp"
#include "vmm/scenario/places.hpp"

#include <algorithm>
#include <variant>

namespace reveille::vmm {

using abi::Place;
using abi::State;
using abi::Word;

FaultEngine::FaultEngine(const Scenario &scenario, const Roster &roster, CpuNumbers numbers)
    : seed_(scenario.seed),
      specs_(numbers == CpuNumbers::kGuest ? roster.renumbered(scenario).faults : scenario.faults),
      cpus_(scenario.machine.vcpus) {
  const auto named = [&](CpuIndex cpu) { return numbers == CpuNumbers::kGuest ? roster.cpu_of(cpu) : cpu; };
  for (CpuIndex cpu = 0; cpu < cpus_.size(); ++cpu)
    cpus_[cpu].exists = roster.exists(named(cpu));
  for (std::size_t i = 0; i < specs_.size(); ++i)
    for (const CpuIndex cpu : specs_[i].cpus)
      cpus_.at(cpu).entries.push_back({i, &specs_[i], named(cpu), {i, cpu}});
  for (OfCpu &of : cpus_)
    for (Entry &entry : of.entries)
      if (std::holds_alternative<FirmwarePlace>(entry.spec->at.where))
        account_for_firmware(entry);
}

/// Takes the next chance: whether it fires.
bool FaultEngine::take_chance(Entry &entry) const {
  return is_lucky(seed_, entry.fault, *entry.spec, entry.drawn_by, entry.chances++);
}

/// Done when the machine was built (vmm/scenario/roster.hpp), and nothing more comes of it.
void FaultEngine::account_for_firmware(Entry &entry) {
  entry.account.seen_through = true;
  if (!take_chance(entry))
    return;
  entry.account.fired = 1;
  Firing firing{};
  firing.fault = entry.fault;
  firing.cpu = firing.vcpu = entry.account.cpu;
  firing.end = HoldEnd::kDone;
  firing.seen_through = true;
  firings_.push_back(std::move(firing));
}

std::uint64_t FaultEngine::armed(CpuIndex cpu) const {
  std::uint64_t mask = 0;
  if (cpu == 0) // faults or not: the host must know when time zero is, and what is there then
    mask |= std::uint64_t{1} << static_cast<unsigned>(Place::kZero);
  for (const Entry &entry : cpus_[cpu].entries)
    if (const auto *place = std::get_if<GuestPlace>(&entry.spec->at.where))
      mask |= std::uint64_t{1} << static_cast<unsigned>(place->place);
  return mask;
}

/// CPU 0 has no attempts.
bool FaultEngine::is_meant(const Strike &strike, AttemptOf attempt) {
  const FaultSpec &spec = *strike.spec;
  return strike.cpu == 0 || ((spec.attempt == 0 || spec.attempt == attempt.ordinal) &&
                             (spec.cycle == 0 || spec.cycle == attempt.cycle));
}

/// The strikes on a CPU whose place is of that type, and for which `is` says so.
template <class At, class Is> std::vector<Strike> FaultEngine::strikes_at(CpuIndex cpu, Is &&is) const {
  std::vector<Strike> strikes;
  for (const Entry &entry : cpus_[cpu].entries) {
    const Strike strike{entry.fault, cpu, entry.spec};
    if (const auto *where = std::get_if<At>(&entry.spec->at.where); where != nullptr && is(*where, strike))
      strikes.push_back(strike);
  }
  return strikes;
}

std::vector<Strike> FaultEngine::at(CpuIndex cpu, Place place, AttemptOf attempt) const {
  return strikes_at<GuestPlace>(cpu, [&](const GuestPlace &where, const Strike &strike) {
    return where.place == place && is_meant(strike, attempt);
  });
}

std::vector<Strike> FaultEngine::at(CpuIndex cpu, Delivery what, AttemptOf attempt) const {
  return strikes_at<DeliveryPlace>(cpu, [&](const DeliveryPlace &where, const Strike &strike) {
    return where.what == what && is_meant(strike, attempt);
  });
}

std::vector<Strike> FaultEngine::at_exit(CpuIndex cpu, std::uint32_t number) const {
  return strikes_at<ExitPlace>(
      cpu, [&](const ExitPlace &where, const Strike &) { return where.number == number; });
}

std::vector<Strike> FaultEngine::at_code(CpuIndex cpu) const {
  return strikes_at<CodePlace>(cpu, [](const CodePlace &, const Strike &) { return true; });
}

bool FaultEngine::has_deliveries() const {
  return std::ranges::any_of(
      specs_, [](const FaultSpec &spec) { return std::holds_alternative<DeliveryPlace>(spec.at.where); });
}

bool FaultEngine::has_exits(CpuIndex cpu) const {
  return std::ranges::any_of(cpus_[cpu].entries, [](const Entry &entry) {
    return std::holds_alternative<ExitPlace>(entry.spec->at.where);
  });
}

std::vector<TimedStrike> FaultEngine::timed() const {
  std::vector<TimedStrike> strikes;
  for (const OfCpu &of_cpu : cpus_)
    for (const Entry &entry : of_cpu.entries)
      if (const auto *time = std::get_if<TimePlace>(&entry.spec->at.where); time != nullptr && of_cpu.exists)
        strikes.push_back({time->ms, {entry.fault, entry.account.cpu, entry.spec}});
  std::stable_sort(strikes.begin(), strikes.end(),
                   [](const TimedStrike &a, const TimedStrike &b) { return a.ms < b.ms; });
  return strikes;
}

std::optional<FiringId> FaultEngine::begin(const Strike &strike, CpuIndex vcpu, std::uint64_t word,
                                           double now_us) {
  const std::uint32_t attempt = Word::from(word).attempt;
  const std::lock_guard lock(mutex_);
  for (Entry &entry : cpus_[strike.cpu].entries) {
    if (entry.fault != strike.fault)
      continue;
    if (entry.chances >= entry.spec->count)
      return std::nullopt;
    const bool fires = take_chance(entry);
    entry.last_attempt = attempt;
    if (!fires)
      return std::nullopt;
    ++entry.account.fired;
    const FiringId id = firings_.size();
    Firing firing{};
    firing.fault = strike.fault;
    firing.cpu = strike.cpu;
    firing.vcpu = vcpu;
    firing.attempt = attempt;
    firing.word = word;
    firing.began_us = firing.ended_us = now_us;
    firings_.push_back(std::move(firing));
    cpus_[strike.cpu].open.push_back(id);
    cpus_[vcpu].holder = id;
    ++holding_;
    return id;
  }
  return std::nullopt;
}

void FaultEngine::note_rip(FiringId firing, std::uint64_t rip) {
  const std::lock_guard lock(mutex_);
  firings_[firing].rip = rip;
}

void FaultEngine::note_write(FiringId firing, WordWrite write) {
  const std::lock_guard lock(mutex_);
  firings_[firing].wrote = write;
  cpus_[firings_[firing].cpu].written = write.after;
}

bool FaultEngine::has_written(CpuIndex cpu) const {
  const std::lock_guard lock(mutex_);
  return cpus_[cpu].written.has_value();
}

void FaultEngine::end(FiringId firing, HoldEnd how, double now_us) {
  const std::lock_guard lock(mutex_);
  firings_[firing].end = how;
  firings_[firing].ended_us = now_us;
  --holding_;
  std::optional<FiringId> &holder = cpus_[firings_[firing].vcpu].holder;
  if (holder == firing && how != HoldEnd::kCrashed)
    holder.reset();
}

std::optional<std::size_t> FaultEngine::holder(CpuIndex cpu) const {
  const std::lock_guard lock(mutex_);
  const auto &holder = cpus_[cpu].holder;
  return holder ? std::optional(firings_[*holder].fault) : std::nullopt;
}

unsigned FaultEngine::holding() const {
  const std::lock_guard lock(mutex_);
  return holding_;
}

std::vector<CpuIndex> FaultEngine::held() const {
  const std::lock_guard lock(mutex_);
  std::vector<CpuIndex> held;
  if (holding_ != 0)
    for (CpuIndex cpu = 0; cpu < cpus_.size(); ++cpu)
      if (const auto &holder = cpus_[cpu].holder; holder && firings_[*holder].end == HoldEnd::kHolding)
        held.push_back(cpu);
  return held;
}

namespace {

/// What the sync word tells of a CPU that was released in `attempt`.
Aftermath told_by_word(std::uint64_t bits, std::uint32_t attempt) {
  if (!Word::is_valid(bits))
    return Aftermath::kAtRest;
  const Word word = Word::from(bits);
  if (word.attempt > attempt && word.state >= State::kClaimed && word.state < State::kAbandoned)
    return Aftermath::kClaimedAgain;
  switch (word.state) {
  case State::kActive:
    return Aftermath::kActive;
  case State::kParked:
    return Aftermath::kParked;
  case State::kDead:
    return Aftermath::kDead;
  default:
    return Aftermath::kUnknown;
  }
}

/// Whether the CPU of that word waits to be let go on by its control CPU.
bool waits_for_release(std::uint64_t bits) {
  const State state = Word::from(bits).state;
  return Word::is_valid(bits) && state != State::kDown && protocol::row(state).owner == protocol::Owner::kCp;
}

} // namespace

/// Finds out whether a firing's end is known, and what its CPU made of it.
void FaultEngine::look(Firing &firing, const CpuState &state, bool is_stopped) const {
  const FaultSpec &spec = specs_[firing.fault];
  switch (firing.end) {
  case HoldEnd::kReset:
  case HoldEnd::kCrashed:
  case HoldEnd::kStepFailed:
  case HoldEnd::kDone:
    firing.seen_through = true;
    return;
  case HoldEnd::kHolding:
    if (spec.action == Action::kCrash && state.decided && !state.online && state.at_rest)
      firing.aftermath = Aftermath::kAtRest; // it has no instruction to crash at, and comes to none
    firing.seen_through = spec.action == Action::kCrash ? firing.aftermath == Aftermath::kAtRest
                                                        : spec.endless() && state.decided;
    return;
  case HoldEnd::kReleased:
    break;
  }
  if (firing.cpu == 0 || is_on_control_cpu(spec.at)) // no word tells of who was held
    firing.aftermath = Aftermath::kWentOn;
  if (firing.aftermath == Aftermath::kUnknown)
    firing.aftermath = told_by_word(state.word, firing.attempt);
  if (firing.aftermath == Aftermath::kUnknown && state.decided && is_stopped)
    firing.aftermath = Aftermath::kHeldOn;
  // Of a CPU that has failed, nobody lets it go on any more: it was lost with its control CPU.
  const bool is_left = !state.online && waits_for_release(state.word);
  if (firing.aftermath == Aftermath::kUnknown && state.decided && (state.at_rest || is_left))
    firing.aftermath = Aftermath::kAtRest;
  firing.seen_through =
      firing.aftermath != Aftermath::kUnknown && (firing.aftermath != Aftermath::kTookInit || state.decided);
}

/// Whether a fault that has not fired as often as it should still can.
bool FaultEngine::may_still_fire(const Entry &entry, const CpuState &state, bool is_held) const {
  if (entry.chances >= entry.spec->count)
    return false;
  if (!state.decided)
    return true;
  if (is_held) // for ever, and one thing is done to a CPU at a time
    return false;
  if (std::holds_alternative<TimePlace>(entry.spec->at.where))
    return cpus_[entry.account.cpu].exists; // if so, it comes in any case
  const auto *place = std::get_if<GuestPlace>(&entry.spec->at.where);
  if (place == nullptr)
    return false;
  if (place->place != Place::kActiveReleased || !state.online ||
      !is_meant({entry.fault, entry.account.cpu, entry.spec}, state.attempt))
    return false;
  const auto &written = cpus_[entry.account.cpu].written;
  if (written && (state.word == *written || Word::from(state.word).state != State::kActive))
    return false; // it has found a word that is not its own, and rests
  // The CPU is on its way there in its last attempt, unless it has been struck there already.
  return entry.chances == 0 || entry.last_attempt != Word::from(state.word).attempt;
}

bool FaultEngine::see_through(CpuIndex cpu, const CpuState &state) {
  const std::lock_guard lock(mutex_);
  OfCpu &of = cpus_[cpu];
  const Firing *by = of.holder ? &firings_[*of.holder] : nullptr;
  const bool is_crashed = by != nullptr && by->end == HoldEnd::kCrashed;
  const bool is_held = by != nullptr && by->end == HoldEnd::kHolding && specs_[by->fault].endless() &&
                       specs_[by->fault].holds();
  for (const FiringId id : of.open)
    look(firings_[id], state, is_held || is_crashed);
  std::erase_if(of.open, [this](FiringId id) { return firings_[id].seen_through; });
  bool all = true;
  for (Entry &entry : of.entries) {
    const bool open = std::any_of(of.open.begin(), of.open.end(),
                                  [&](FiringId id) { return firings_[id].fault == entry.fault; });
    entry.account.seen_through = !open && !may_still_fire(entry, state, is_held);
    all = all && entry.account.seen_through;
  }
  return all;
}

/// Released, and neither the word nor the vCPU has shown what it made of that.
bool FaultEngine::wants_aftermath(const Firing &firing) const {
  return firing.end == HoldEnd::kReleased && !is_on_control_cpu(specs_[firing.fault].at);
}

bool FaultEngine::wants_rest(CpuIndex cpu) const {
  const std::lock_guard lock(mutex_);
  const auto &open = cpus_[cpu].open;
  return std::any_of(open.begin(), open.end(), [this](FiringId id) {
    const Firing &firing = firings_[id];
    const bool is_to_crash = firing.end == HoldEnd::kHolding && specs_[firing.fault].action == Action::kCrash;
    return is_to_crash || wants_aftermath(firing);
  });
}

void FaultEngine::took_init(CpuIndex cpu) {
  const std::lock_guard lock(mutex_);
  for (const FiringId id : cpus_[cpu].open)
    if (wants_aftermath(firings_[id]))
      firings_[id].aftermath = Aftermath::kTookInit;
}

void FaultEngine::tell(CpuIndex cpu, std::uint32_t attempt, Aftermath decision) {
  const std::lock_guard lock(mutex_);
  for (const FiringId id : cpus_[cpu].open)
    if (Firing &f = firings_[id];
        wants_aftermath(f) && f.attempt == attempt && f.aftermath == Aftermath::kUnknown)
      f.aftermath = decision;
}

std::vector<FaultAccount> FaultEngine::accounts() const {
  const std::lock_guard lock(mutex_);
  std::vector<FaultAccount> accounts;
  for (std::size_t fault = 0; fault < specs_.size(); ++fault)
    for (const CpuIndex cpu : specs_[fault].cpus)
      for (const Entry &entry : cpus_[cpu].entries)
        if (entry.fault == fault)
          accounts.push_back(entry.account);
  return accounts;
}

std::vector<Firing> FaultEngine::firings() const {
  const std::lock_guard lock(mutex_);
  return firings_;
}

bool FaultEngine::strikes(CpuIndex cpu) const { return !cpus_[cpu].entries.empty(); }

} // namespace reveille::vmm
