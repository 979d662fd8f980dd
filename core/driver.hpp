// The control side as a whole: one thread that drives the control objects of all APs. The
// strategies are three sets of limits on one loop.
#pragma once

#include "core/control.hpp"
#include "core/cpu_list.hpp"

#include <limits>
#include <span>

namespace reveille::core {

/// What a strategy allows.
struct Policy {
  unsigned in_flight; ///< APs between their kick and their decision
  unsigned finishing; ///< APs between their release from alive and their decision
  bool kick_first;    ///< nobody is released from alive while somebody can still be kicked

  static constexpr Policy of(abi::Strategy strategy, unsigned window) {
    constexpr unsigned kAll = std::numeric_limits<unsigned>::max();
    const unsigned in_flight = window == 0 ? kAll : window;
    switch (strategy) {
    case abi::Strategy::kSerial:
      return {1, 1, false};
    case abi::Strategy::kSplit:
      return {in_flight, 1, true};
    case abi::Strategy::kParallel:
      break;
    }
    return {in_flight, kAll, false};
  }
};

/// One AP as the driver sees it: its control object, the end of its turn, its place in a
/// list. What the driver keeps of CPU n is element n; that of CPU 0 is not used.
template <CpEnvironment E> struct Seat {
  Control<E> control;
  std::uint64_t deadline = 0;
  CpuLink link;
  bool finishing = false; ///< released from alive, and not decided
};

template <CpEnvironment E> class Driver {
public:
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  /// `seats` has one element for each CPU that is to be brought up, CPU 0 included.
  Driver(E &env, const Settings &settings, std::span<Seat<E>> seats)
      : env_(env), settings_(settings), policy_(Policy::of(settings.strategy, settings.window)),
        seats_(seats) {
    for (unsigned cpu = 1; cpu < seats_.size(); ++cpu)
      seats_[cpu].control.init(cpu);
  }

  /// Brings every AP up, or finds out that it will not come. Ends, because each turn does.
  void bring_up() {
    while (!decided()) {
      poll();
      if (!decided())
        env_.wait_until([this] { return env_.arrivals().any(); }, deadline());
    }
  }

  /// Does what can be done now, without waiting. After bring_up() it is called again for
  /// each wake, for the sake of those who come late.
  void poll() {
    do {
      // One kick at a time: those who have arrived are served in between.
      const bool kicked = kick_next();
      if (!kicked || !policy_.kick_first)
        serve_arrivals();
      if (!kicked) {
        expire();
        if (!can_kick())
          return;
      }
    } while (true);
  }

  [[nodiscard]] bool decided() const { return decided_ + 1 >= seats_.size(); }

  /// When poll() has something to do even if nobody arrives; kNever: not before that.
  [[nodiscard]] std::uint64_t deadline() const {
    return turns_.empty() ? kNever : seats_[turns_.front()].deadline;
  }

private:
  [[nodiscard]] bool can_kick() const { return next_ < seats_.size() && in_flight_ < policy_.in_flight; }

  bool kick_next() {
    if (!can_kick())
      return false;
    ++in_flight_;
    const unsigned cpu = next_++;
    settle(cpu, seats_[cpu].control.kick(env_));
    return true;
  }

  void serve_arrivals() {
    env_.arrivals().drain([this](unsigned cpu) {
      if (cpu > 0 && cpu < next_)
        settle(cpu, seats_[cpu].control.look(env_, settings_));
    });
    open_gate();
  }

  /// Turns are all equally long, so that their list is in the order of their ends.
  void expire() {
    while (!turns_.empty() && seats_[turns_.front()].deadline <= env_.now()) {
      const unsigned cpu = turns_.front();
      // If nothing comes of it, the AP has arrived at nothing that would end its turn.
      if (const Outcome outcome = seats_[cpu].control.expire(env_, settings_); outcome != Outcome::kNothing)
        settle(cpu, outcome);
      else
        begin_turn(cpu);
    }
    open_gate();
  }

  void settle(unsigned cpu, Outcome outcome) {
    for (;;) {
      switch (outcome) {
      case Outcome::kNothing:
        return;
      case Outcome::kTurn:
        begin_turn(cpu);
        return;
      case Outcome::kAtGate:
        end_turn(cpu);
        if (seats_[cpu].link.list == nullptr)
          gate_.push_back(links_, cpu);
        return;
      case Outcome::kActive:
        decide(cpu);
        return;
      case Outcome::kGaveUp:
        end_turn(cpu);
        stop_finishing(cpu);
        if (!seats_[cpu].control.can_retry() || seats_[cpu].control.attempts_made() >= settings_.attempts) {
          seats_[cpu].control.failed(env_);
          decide(cpu);
          return;
        }
        outcome = seats_[cpu].control.kick(env_);
        break;
      }
    }
  }

  void open_gate() {
    while (!gate_.empty() && finishing_ < policy_.finishing && !(policy_.kick_first && can_kick())) {
      const unsigned cpu = gate_.front();
      gate_.remove(links_, cpu);
      seats_[cpu].finishing = true;
      ++finishing_;
      settle(cpu, seats_[cpu].control.pass(env_));
    }
  }

  void begin_turn(unsigned cpu) {
    end_turn(cpu);
    seats_[cpu].deadline = env_.now() + settings_.timeout;
    turns_.push_back(links_, cpu);
  }

  void end_turn(unsigned cpu) {
    if (seats_[cpu].link.list == &turns_)
      turns_.remove(links_, cpu);
  }

  void stop_finishing(unsigned cpu) {
    if (seats_[cpu].finishing)
      --finishing_;
    seats_[cpu].finishing = false;
  }

  void decide(unsigned cpu) {
    end_turn(cpu);
    stop_finishing(cpu);
    --in_flight_;
    ++decided_;
  }

  /// Where the lists find a CPU's link.
  struct Links {
    std::span<Seat<E>> seats;
    CpuLink &operator()(std::uint32_t cpu) { return seats[cpu].link; }
  };

  E &env_;
  const Settings &settings_;
  Policy policy_;
  std::span<Seat<E>> seats_;
  Links links_{seats_};
  CpuList turns_; ///< APs whose turn it is
  CpuList gate_;  ///< APs that wait at alive
  unsigned next_ = 1;
  unsigned in_flight_ = 0;
  unsigned finishing_ = 0;
  unsigned decided_ = 0;
};

} // namespace reveille::core
