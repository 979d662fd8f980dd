#include "vmm/faults/engine.hpp"

#include "core/protocol/states.hpp"

#include <algorithm>
#include <variant>

namespace reveille::vmm {

using abi::Place;
using abi::State;
using abi::Word;

FaultEngine::FaultEngine(const Scenario &scenario)
    : specs_(scenario.faults), entries_(scenario.machine.vcpus) {
  for (std::size_t i = 0; i < specs_.size(); ++i)
    for (const CpuIndex cpu : specs_[i].cpus)
      entries_.at(cpu).push_back({i, &specs_[i], {i, cpu}});
}

std::uint64_t FaultEngine::armed(CpuIndex cpu) const {
  std::uint64_t mask = 0;
  if (cpu == 0 && !specs_.empty()) // the host must know when time zero is
    mask |= std::uint64_t{1} << static_cast<unsigned>(Place::kZero);
  for (const Entry &entry : entries_[cpu])
    if (const auto *place = std::get_if<GuestPlace>(&entry.spec->at.where))
      mask |= std::uint64_t{1} << static_cast<unsigned>(place->place);
  return mask;
}

std::vector<Strike> FaultEngine::at(CpuIndex cpu, Place place, std::uint32_t ordinal) const {
  std::vector<Strike> strikes;
  for (const Entry &entry : entries_[cpu]) {
    const FaultSpec &spec = *entry.spec;
    const auto *where = std::get_if<GuestPlace>(&spec.at.where);
    if (where != nullptr && where->place == place && (spec.attempt == 0 || spec.attempt == ordinal))
      strikes.push_back({entry.fault, cpu, spec.action, spec.duration_ms});
  }
  return strikes;
}

std::vector<TimedStrike> FaultEngine::timed() const {
  std::vector<TimedStrike> strikes;
  for (const auto &of_cpu : entries_)
    for (const Entry &entry : of_cpu)
      if (const auto *time = std::get_if<TimePlace>(&entry.spec->at.where))
        strikes.push_back(
            {time->ms, {entry.fault, entry.account.cpu, entry.spec->action, entry.spec->duration_ms}});
  std::stable_sort(strikes.begin(), strikes.end(),
                   [](const TimedStrike &a, const TimedStrike &b) { return a.ms < b.ms; });
  return strikes;
}

std::optional<FiringId> FaultEngine::begin(const Strike &strike, std::uint32_t attempt, double now_us) {
  const std::lock_guard lock(mutex_);
  for (Entry &entry : entries_[strike.cpu]) {
    if (entry.fault != strike.fault)
      continue;
    if (entry.account.fired >= entry.spec->count)
      return std::nullopt;
    ++entry.account.fired;
    Firing firing{};
    firing.fault = strike.fault;
    firing.cpu = strike.cpu;
    firing.attempt = attempt;
    firing.began_us = firing.ended_us = now_us;
    firings_.push_back(std::move(firing));
    return firings_.size() - 1;
  }
  return std::nullopt;
}

void FaultEngine::note_rip(FiringId firing, std::uint64_t rip) {
  const std::lock_guard lock(mutex_);
  firings_[firing].rip = rip;
}

void FaultEngine::end(FiringId firing, HoldEnd how, double now_us) {
  const std::lock_guard lock(mutex_);
  firings_[firing].end = how;
  firings_[firing].ended_us = now_us;
}

std::optional<std::size_t> FaultEngine::holder(CpuIndex cpu) const {
  const std::lock_guard lock(mutex_);
  for (const Firing &firing : firings_)
    if (firing.cpu == cpu && (firing.end == HoldEnd::kHolding || firing.end == HoldEnd::kCrashed))
      return firing.fault;
  return std::nullopt;
}

unsigned FaultEngine::holding() const {
  const std::lock_guard lock(mutex_);
  return static_cast<unsigned>(std::count_if(firings_.begin(), firings_.end(),
                                             [](const Firing &f) { return f.end == HoldEnd::kHolding; }));
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

} // namespace

/// Finds out whether a firing's end is known, and what its CPU made of it.
void FaultEngine::look(Firing &firing, const CpuState &state, bool held_for_ever) const {
  const FaultSpec &spec = specs_[firing.fault];
  switch (firing.end) {
  case HoldEnd::kReset:
  case HoldEnd::kCrashed:
    firing.seen_through = true;
    return;
  case HoldEnd::kHolding:
    firing.seen_through = spec.endless() && spec.action != Action::kCrash && state.decided;
    return;
  case HoldEnd::kReleased:
    break;
  }
  if (firing.cpu == 0) // it has no word to tell by
    firing.aftermath = Aftermath::kWentOn;
  if (firing.aftermath == Aftermath::kUnknown)
    firing.aftermath = told_by_word(state.word, firing.attempt);
  if (firing.aftermath == Aftermath::kUnknown && state.decided && held_for_ever)
    firing.aftermath = Aftermath::kHeldOn;
  if (firing.aftermath == Aftermath::kUnknown && state.decided && state.at_rest)
    firing.aftermath = Aftermath::kAtRest;
  firing.seen_through =
      firing.aftermath != Aftermath::kUnknown && (firing.aftermath != Aftermath::kTookInit || state.decided);
}

/// Whether a fault that has not fired as often as it should still can.
bool FaultEngine::may_still_fire(const Entry &entry, const CpuState &state) const {
  if (entry.account.fired >= entry.spec->count)
    return false;
  if (!state.decided)
    return true;
  const auto *place = std::get_if<GuestPlace>(&entry.spec->at.where);
  if (place == nullptr)
    return true; // a time comes in any case
  if (place->place != Place::kActiveReleased || !state.online)
    return false;
  // The CPU is on its way there, unless it has come up in an attempt that is not meant.
  return entry.account.fired == 0 && (entry.spec->attempt == 0 || entry.spec->attempt == state.ordinal);
}

bool FaultEngine::see_through(CpuIndex cpu, const CpuState &state) {
  const std::lock_guard lock(mutex_);
  bool held_for_ever = false;
  for (const Firing &firing : firings_)
    held_for_ever = held_for_ever ||
                    (firing.cpu == cpu && firing.end == HoldEnd::kHolding && specs_[firing.fault].endless());
  for (Firing &firing : firings_)
    if (firing.cpu == cpu && !firing.seen_through)
      look(firing, state, held_for_ever);
  bool all = true;
  for (Entry &entry : entries_[cpu]) {
    bool through = !may_still_fire(entry, state);
    for (const Firing &firing : firings_)
      if (firing.cpu == cpu && firing.fault == entry.fault)
        through = through && firing.seen_through;
    entry.account.seen_through = through;
    all = all && through;
  }
  return all;
}

bool FaultEngine::wants_rest(CpuIndex cpu) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(firings_.begin(), firings_.end(), [cpu](const Firing &f) {
    return f.cpu == cpu && f.end == HoldEnd::kReleased && !f.seen_through;
  });
}

void FaultEngine::took_init(CpuIndex cpu) {
  const std::lock_guard lock(mutex_);
  for (Firing &firing : firings_)
    if (firing.cpu == cpu && firing.end == HoldEnd::kReleased && !firing.seen_through)
      firing.aftermath = Aftermath::kTookInit;
}

std::vector<FaultAccount> FaultEngine::accounts() const {
  const std::lock_guard lock(mutex_);
  std::vector<FaultAccount> accounts;
  for (std::size_t fault = 0; fault < specs_.size(); ++fault)
    for (const CpuIndex cpu : specs_[fault].cpus)
      for (const Entry &entry : entries_[cpu])
        if (entry.fault == fault)
          accounts.push_back(entry.account);
  return accounts;
}

std::vector<Firing> FaultEngine::firings() const {
  const std::lock_guard lock(mutex_);
  return firings_;
}

bool FaultEngine::strikes(CpuIndex cpu) const { return !entries_[cpu].empty(); }

} // namespace reveille::vmm
