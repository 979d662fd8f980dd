#include "tests/explore/life.hpp"

#include <algorithm>
#include <limits>

namespace reveille::explore {

using vmm::Action;
using vmm::FaultSpec;

Life::Life(const vmm::Scenario &scenario, vmm::CpuIndex cpu, Luck luck)
    : scenario_(scenario), cpu_(cpu), luck_(luck) {
  for (const FaultSpec &fault : scenario.faults)
    left_.push_back(fault.count);
}

Fate Life::live() {
  const unsigned cycles = scenario_.bringup.cycles;
  bool well = true;
  for (cycle_ = 1; well && cycle_ <= cycles; ++cycle_) {
    well = come_up() && stay_up();
    if (well && cycle_ < cycles)
      well = go_down(0);
  }
  go_on_late();
  return {outcome_, most_attempts_, unproven_};
}

bool Life::strikes(std::size_t fault, const Station &station) const {
  const FaultSpec &spec = scenario_.faults[fault];
  const auto meant = [](std::uint32_t wanted, unsigned now) { return wanted == 0 || wanted == now; };
  return left_[fault] > 0 && spec.at.text == station.name && std::ranges::binary_search(spec.cpus, cpu_) &&
         meant(spec.attempt, attempt_) && meant(spec.cycle, cycle_);
}

/// What strikes it at one station, in the order of the file.
Life::Passed Life::pass(const Station &station, bool in_turn, std::size_t first_fault) {
  bool fails = false;
  for (std::size_t i = first_fault; i < scenario_.faults.size(); ++i) {
    if (!strikes(i, station))
      continue;
    const FaultSpec &fault = scenario_.faults[i];
    --left_[i];
    if (fault.action == Action::kCrash)
      return Passed::kCrashed;
    if (fault.action == Action::kReset) // who is up, and is reset, is as good as crashed
      return station.name == up_station().name ? Passed::kCrashed : Passed::kReset;
    fails = fails || fault.action == Action::kFail;
    if (!fault.holds() || station.by_control)
      continue;
    if (fault.endless() && !in_turn)
      return Passed::kStays;
    turn_ms_ += fault.endless() ? std::numeric_limits<double>::infinity() : fault.duration_ms;
    given_up_in_ = i;
    if (in_turn && expires(fault, station))
      return Passed::kGivenUp;
  }
  return fails ? Passed::kStepFailed : Passed::kOn;
}

/// Whether its time is over in this hold.
bool Life::expires(const FaultSpec &hold, const Station &station) const {
  if (hold.endless())
    return true;
  const bool up = station.name == up_station().name;
  return turn_ms_ > scenario_.bringup.timeout_ms && (up ? luck_.expires_when_up : luck_.expires_in_turn);
}

bool Life::come_up() {
  for (attempt_ = 1; attempt_ <= scenario_.bringup.attempts; ++attempt_) {
    most_attempts_ = std::max(most_attempts_, attempt_);
    if (climb()) {
      outcome_ = "online";
      return true;
    }
  }
  return false;
}

bool Life::climb() {
  for (const Station &station : way_up()) {
    if (station.by_control) {
      if (!pass_control(station))
        return false;
      continue;
    }
    if (frozen_) {
      outcome_ = "timeout@" + station.owed;
      return false;
    }
    unproven_ = 0; // it has claimed this attempt: every older one is over
    const Passed passed = pass(station);
    if (passed == Passed::kStepFailed) {
      roll_back(station);
      return false;
    }
    if (!settle(passed, station, station.owed))
      return false;
  }
  return true;
}

/// The control CPU is held here, and nobody pays for that. A failed PREPARE step ends the attempt
/// before the AP is touched.
bool Life::pass_control(const Station &station) {
  if (pass(station) == Passed::kStepFailed) {
    outcome_ = "error@" + station.name;
    return false;
  }
  if (station.name == "kick") { // its INIT takes the AP out of all that it is in but a freeze
    late_.reset();
    turn_ms_ = carried_ms_;
    carried_ms_ = 0;
  }
  return true;
}

/// False: this attempt has come to its end.
bool Life::settle(Passed passed, const Station &station, const std::string &owed) {
  if (passed == Passed::kCrashed) {
    outcome_ = "crash@" + station.owed;
    ++unproven_;
    return false;
  }
  if (passed == Passed::kReset) { // it waits for a SIPI, and proves nothing
    outcome_ = "timeout@" + owed;
    ++unproven_;
    return false;
  }
  if (passed == Passed::kGivenUp) {
    give_up(station, owed);
    return false;
  }
  if (station.arrives)
    turn_ms_ = 0;
  return true;
}

/// Up. A hold matters when it reaches into the way down.
bool Life::stay_up() {
  const bool goes_down = cycle_ < scenario_.bringup.cycles;
  turn_ms_ = 0;
  const Passed passed = pass(up_station(), goes_down);
  if (goes_down && !luck_.expires_when_up && passed == Passed::kOn)
    turn_ms_ = 0; // it was over before
  if (goes_down)
    return settle(passed, up_station(), way_down().front().owed);
  if (passed == Passed::kCrashed) // nobody finds out: it keeps what it has
    outcome_ = "crash@" + up_station().owed;
  return passed != Passed::kCrashed;
}

bool Life::go_down(std::size_t first_station) {
  for (std::size_t i = first_station; i < way_down().size(); ++i) {
    const Station &station = way_down()[i];
    if (!settle(pass(station), station, station.owed))
      return false;
  }
  return true;
}

/// A failed step: what was done is undone, and the AP is dead, which is proof. An error beats the
/// timeout that the way down may end in, and a crash beats both.
void Life::roll_back(const Station &step) {
  turn_ms_ = 0;
  const bool well = go_down(step.section == protocol::Section::kOnline ? 0 : 1);
  if (well || outcome_.starts_with("timeout@"))
    outcome_ = "error@" + step.name;
}

/// Its time is up. What comes of it then depends on whether an INIT reaches it, and when.
void Life::give_up(const Station &station, const std::string &owed) {
  const FaultSpec &fault = scenario_.faults[given_up_in_];
  const bool freezes = fault.action == Action::kFreeze;
  outcome_ = "timeout@" + owed;
  ++unproven_;
  if (fault.endless()) {
    frozen_ = freezes;
    return;
  }
  if (freezes) // an INIT stays pending until it thaws
    carried_ms_ = turn_ms_ - scenario_.bringup.timeout_ms;
  if (scenario_.bringup.stop == abi::Stop::kNone || luck_.stop_comes_late)
    late_ = Late{&station, given_up_in_ + 1, station.owed, attempt_, cycle_};
}

/// It goes on after all, until it finds its word changed, and parks: that is proof.
void Life::go_on_late() {
  if (!late_)
    return;
  const bool was_last = late_->attempt == std::min(attempt_, scenario_.bringup.attempts);
  attempt_ = late_->attempt;
  cycle_ = late_->cycle;
  Passed passed = pass(*late_->station, false, late_->next_fault);
  const std::vector<Station> &way = way_up();
  auto at = std::ranges::find(way, late_->station->name, &Station::name);
  while (passed == Passed::kOn && at != way.end() && !at->looks)
    passed = pass(*++at, false);
  if (passed == Passed::kCrashed && was_last)
    outcome_ = "crash@" + late_->owed;
  if (passed == Passed::kOn || passed == Passed::kStepFailed)
    --unproven_;
}

} // namespace reveille::explore
