// The control side as a whole: CPU 0's one thread, which drives the control objects of all APs.
// The strategies are sets of limits on one loop; in tree it leaves APs to CPUs that are up.
#pragma once

#include "core/deadlines.hpp"
#include "core/delegate.hpp"
#include "core/gates.hpp"
#include "core/kick_all.hpp"
#include "core/policy.hpp"
#include "core/siblings.hpp"

#include <span>

namespace reveille::core {

/// What each arrival runs through is one flattened function; what is rare, noinline, is called from it.
template <CpEnvironment E> class Driver {
public:
  static constexpr std::uint64_t kNever = Deadlines<E>::kNever;

  /// `seats` has one element for each CPU that is to be brought up, CPU 0 included.
  Driver(E &env, const Settings &settings, std::span<Seat<E>> seats)
      : env_(env), settings_(settings), policy_(Policy::of(settings.strategy, settings.window)),
        seats_(seats) {
    for (unsigned cpu = 1; cpu < seats_.size(); ++cpu)
      seats_[cpu].control.init(cpu);
  }

  /// Brings every AP up that is not out, or finds out that it will not come. Ends, because each turn does.
  void bring_up() {
    begin_up();
    run();
  }

  /// Takes every AP down that is up.
  void take_down() {
    begin_down();
    run();
  }

  /// Does what can be done now, without waiting. When all are decided: at each wake, for who comes late.
  void poll() {
    do {
      // One kick at a time: those who have arrived are served in between.
      const bool began = begin_next();
      if (!began || !policy_.kick_first)
        serve_arrivals();
      if (!began) {
        expire();
        if (!can_begin())
          return;
      }
    } while (true);
  }

  /// The parts of bring_up() and take_down(), for a caller that waits by itself.
  void begin_up() {
    ++cycle_;
    down_ = false;
    exclusive_ = exclusive_sections(env_);
    env_.log(Kind::kCycle, 0, 0, cycle_, 0);
    for (unsigned cpu = 1; cpu < seats_.size(); ++cpu)
      if (!seats_[cpu].out)
        request(cpu);
  }
  void begin_down() {
    down_ = true;
    while (!free_.empty())
      free_.remove(links_, free_.front());
    for (unsigned cpu = static_cast<unsigned>(seats_.size()); cpu-- > 1;)
      if (seats_[cpu].up) {
        ++undecided_;
        ready_.push_back(links_, cpu);
      }
  }

  [[nodiscard]] bool decided() const { return undecided_ == 0; }

  /// When poll() has something to do even if nobody arrives; kNever: not before that.
  [[nodiscard]] std::uint64_t deadline() const {
    const std::uint64_t next = deadlines_.first(), now = env_.now();
    return now < careful_until_ ? std::min(next, now + settings_.recheck) : next;
  }

private:
  using Kind = abi::EventKind;
  using Phase = Lease::Phase;

  void run() {
    while (!decided()) {
      poll();
      if (!decided())
        env_.wait_until([this] { return env_.arrivals().any(); }, deadline());
    }
  }

  /// A CPU is to be brought up in this cycle; a sibling only when its primary is decided.
  void request(unsigned cpu) {
    seats_[cpu].control.begin_cycle(cycle_);
    ++undecided_;
    const unsigned primary = settings_.primary_threads_first ? env_.primary_of(cpu) : cpu;
    if (primary == cpu || primary == 0 || primary >= seats_.size() || seats_[primary].out)
      ready_.push_back(links_, cpu);
    else
      put_behind(seats_, primary, cpu);
  }

  // --- kicking, and taking down

  /// As many as are brought up at once; one at a time on the way down, where one at a time is finished.
  [[nodiscard]] bool can_begin() const {
    if (ready_.empty() || in_flight_ >= policy_.in_flight)
      return false;
    if (down_)
      return in_flight_ < policy_.finishing;
    return !policy_.delegates || !free_.empty() || own_.has_room();
  }

  [[gnu::flatten]] void begin_all() {
    kick_all(env_, seats_.subspan(1));
    in_flight_ = undecided_;
    while (!ready_.empty()) {
      const unsigned cpu = ready_.take_front(links_);
      own_.add();
      settle(cpu, seats_[cpu].outcome);
    }
  }

  bool begin_next() {
    if (!can_begin())
      return false;
    if (in_flight_ == 0)
      env_.freeze_steps(true);
    // In the first cycle, and all of them: none has been started yet.
    if (cycle_ == 1 && !down_ && in_flight_ == 0 && undecided_ + 1 == seats_.size() &&
        may_kick_all(env_, settings_, policy_)) {
      begin_all();
      return true;
    }
    ++in_flight_;
    const unsigned cpu = ready_.take_front(links_);
    if (cycle_ > 1)
      be_careful();
    if (down_) {
      seats_[cpu].up = false;
      own_.add();
      settle(cpu, seats_[cpu].control.take_down(env_));
    } else if (!policy_.delegates || free_.empty()) {
      own_.add();
      settle(cpu, seats_[cpu].control.kick(env_));
    } else {
      leave_to(free_.front(), cpu);
    }
    return true;
  }

  /// Leaves an AP to a control CPU. PREPARE steps that may not run on two CPUs at once are run here.
  void leave_to(unsigned control_cpu, unsigned cpu) {
    Seat<E> &seat = seats_[cpu];
    seat.launched = exclusive_.prepare;
    seat.outcome = Outcome::kNothing;
    if (exclusive_.prepare) {
      if (const Outcome bad = seat.control.prepare(env_); bad != Outcome::kNothing) {
        own_.add();
        settle(cpu, bad);
        return;
      }
    }
    free_.remove(links_, control_cpu);
    env_.log(Kind::kDelegated, cpu, 0, control_cpu, 0);
    seat.control.set_undoes_prepare(!exclusive_.prepare);
    seat.control_cpu = control_cpu;
    grant(env_.lease(control_cpu), cpu);
    seats_[control_cpu].lease = Lease{cpu, Phase::kHeld, 0}.bits();
    begin_turn(deadlines_.leases, control_cpu);
    env_.wake(control_cpu);
  }

  // --- arrivals

  [[gnu::flatten]] void serve_arrivals() {
    env_.arrivals().drain([this](unsigned cpu) {
      if (cpu == 0 || cpu >= seats_.size())
        return;
      if (policy_.delegates) // nobody else has an AP to give back
        collect(cpu);
      if (seats_[cpu].control_cpu == kNoCpu && !seats_[cpu].lost)
        settle(cpu, seats_[cpu].control.look(env_, settings_));
    });
    open_gates();
  }

  /// A control CPU may have given an AP back, or let go of it.
  void collect(unsigned control_cpu) {
    auto &cell = env_.lease(control_cpu);
    // Acquire: pairs with the release in HeldLease::give_back() and let_go().
    const Lease lease = Lease::from(cell.load(std::memory_order_acquire));
    if (lease.phase != Phase::kReturned && lease.phase != Phase::kLetGo)
      return;
    cell.store(Lease{}.bits(), std::memory_order_relaxed); // CPU 0's: nobody else writes it now
    deadlines_.stop(control_cpu);
    if (!down_ && seats_[control_cpu].up)
      free_.push_back(links_, control_cpu);
    const std::uint32_t child = Lease::from(seats_[control_cpu].lease).child;
    if (child < seats_.size() && seats_[child].control_cpu == control_cpu)
      take_back(child, control_cpu, lease.phase == Phase::kLetGo);
  }

  [[gnu::noinline]] void take_back(unsigned cpu, unsigned control_cpu, bool was_shut_out) {
    Seat<E> &seat = seats_[cpu];
    env_.log(was_shut_out ? Kind::kAdopted : Kind::kReturned, cpu, 0, control_cpu, 0);
    seat.control_cpu = kNoCpu;
    env_.publish_control(cpu);
    seat.control.set_undoes_prepare(true);
    seat.control.finish_undo(env_);
    if (!seat.control.is_open()) // what was given up there may have parked, and told only that CPU
      static_cast<void>(seat.control.look(env_, settings_));
    if (seat.lost) { // too late to be of use: given up, unless it waits and can do no harm
      if (seat.control.is_open() && !seat.control.has_news(env_))
        static_cast<void>(seat.control.expire(env_, settings_));
      seat.lost = seat.control.is_open();
      return;
    }
    own_.add();
    if (seat.outcome != Outcome::kNothing)
      settle(cpu, seat.outcome);
    else if (!seat.control.is_open())
      settle(cpu, seat.launched ? seat.control.launch(env_) : seat.control.kick(env_));
    else {
      begin_turn(deadlines_.turns, cpu);
      settle(cpu, seat.control.look(env_, settings_));
    }
  }

  // --- time

  void expire() {
    if (env_.now() < deadlines_.first())
      return;
    while (deadlines_.is_over(deadlines_.turns, env_.now())) {
      const unsigned cpu = deadlines_.turns.front();
      // If nothing comes of it, the AP has arrived at nothing that would end its turn.
      if (const Outcome outcome = seats_[cpu].control.expire(env_, settings_); outcome != Outcome::kNothing)
        settle(cpu, outcome);
      else
        begin_turn(deadlines_.turns, cpu);
    }
    while (deadlines_.is_over(deadlines_.leases, env_.now()))
      expire_lease(deadlines_.leases.front());
    while (deadlines_.is_over(deadlines_.rests, env_.now())) {
      const unsigned cpu = deadlines_.rests.take_front(links_);
      settle(cpu, seats_[cpu].control.kick(env_));
    }
    open_gates();
  }

  /// A lease has not been looked at for its time: renewed since then, it goes on. If not, its
  /// control CPU is shut out, and has as much time again to let go of its AP.
  void expire_lease(unsigned control_cpu) {
    auto &cell = env_.lease(control_cpu);
    const std::uint64_t seen = cell.load(std::memory_order_relaxed);
    const Phase phase = Lease::from(seen).phase;
    if (phase == Phase::kReturned || phase == Phase::kLetGo) {
      collect(control_cpu);
      return;
    }
    const std::uint32_t child = Lease::from(seats_[control_cpu].lease).child;
    if (phase == Phase::kFenced) {
      deadlines_.stop(control_cpu);
      lose(child);
      return;
    }
    if (seen == seats_[control_cpu].lease && fence(cell, seen)) {
      env_.log(Kind::kFenced, child, 0, control_cpu, 0);
      env_.wake(control_cpu);
    }
    seats_[control_cpu].lease = seen;
    begin_turn(deadlines_.leases, control_cpu);
  }

  /// Without proof that its control CPU has stopped nobody else may touch an AP: it is lost.
  void lose(unsigned cpu) {
    const std::uint64_t word = env_.word(cpu).load(std::memory_order_relaxed);
    seats_[cpu].lost = true;
    env_.log(Kind::kFailed, cpu, Word::from(word).attempt, word,
             abi::failed(abi::FailReason::kLost, 0, 0, 0));
    own_.add();
    fail(cpu);
  }

  void begin_turn(CpuList &in, unsigned cpu) { deadlines_.begin(in, cpu, env_.now() + settings_.timeout); }

  // --- what has come of it

  void settle(unsigned cpu, Outcome outcome) {
    for (;;) {
      update_section(cpu);
      switch (outcome) {
      case Outcome::kNothing:
        return;
      case Outcome::kTurn:
        begin_turn(deadlines_.turns, cpu);
        return;
      case Outcome::kAtGate:
        if (!may_pass(cpu)) {
          wait_at_gate(cpu);
          return;
        }
        outcome = pass(cpu);
        break;
      case Outcome::kActive:
        decide(cpu);
        come_up(cpu);
        return;
      case Outcome::kDown:
        decide(cpu);
        return;
      case Outcome::kGaveUp:
        deadlines_.stop(cpu);
        stop_finishing(cpu);
        be_careful();
        if (seats_[cpu].control.has_cost_a_turn())
          own_.grow(env_.now(), settings_.timeout);
        if (down_ || !seats_[cpu].control.can_retry() ||
            seats_[cpu].control.attempts_made() >= settings_.attempts) {
          seats_[cpu].control.failed(env_);
          fail(cpu);
          return;
        }
        if (settings_.rest != 0 && seats_[cpu].control.is_stopped(settings_)) {
          deadlines_.begin(deadlines_.rests, cpu, env_.now() + settings_.rest);
          return;
        }
        outcome = seats_[cpu].control.kick(env_);
        break;
      }
    }
  }

  /// A CPU that has run before is about to be stopped. If it has put itself in the arrival map and has not
  /// yet interrupted this CPU, nobody else will do that: for the time of a turn CPU 0 looks by itself.
  void be_careful() { careful_until_ = env_.now() + settings_.timeout; }

  void come_up(unsigned cpu) {
    seats_[cpu].up = true;
    if (policy_.delegates)
      free_.push_back(links_, cpu);
    release_siblings(cpu);
  }

  [[gnu::noinline]] void fail(unsigned cpu) {
    seats_[cpu].out = true;
    decide(cpu);
    release_siblings(cpu);
  }

  void release_siblings(unsigned primary) {
    take_siblings(seats_, primary, [this](std::uint32_t cpu) { ready_.push_back(links_, cpu); });
  }

  void decide(unsigned cpu) {
    deadlines_.stop(cpu);
    stop_finishing(cpu);
    gates_.move(seats_[cpu].inside, Section::kNone);
    own_.remove();
    --undecided_;
    if (--in_flight_ == 0)
      env_.freeze_steps(false);
  }

  void stop_finishing(unsigned cpu) {
    if (seats_[cpu].finishing)
      --finishing_;
    seats_[cpu].finishing = false;
  }

  // --- gates

  /// Nobody waits before the section, and one more may be in it.
  [[nodiscard]] bool may_pass(unsigned cpu) {
    const Section section = seats_[cpu].control.section();
    return gates_.before(section).empty() && admits(cpu, section);
  }

  /// One that goes back through the gate by which it came in comes first: others may wait for its end.
  void wait_at_gate(unsigned cpu) {
    deadlines_.stop(cpu);
    if (seats_[cpu].link.list != nullptr) // waits there already
      return;
    const Section section = seats_[cpu].control.section();
    if (seats_[cpu].finishing && section == Section::kStarting)
      gates_.before(section).push_front(links_, cpu);
    else
      gates_.before(section).push_back(links_, cpu);
  }

  Outcome pass(unsigned cpu) {
    const Section section = seats_[cpu].control.section();
    gates_.move(seats_[cpu].inside, section);
    if (section == Section::kStarting && !down_ && !seats_[cpu].finishing) {
      seats_[cpu].finishing = true;
      ++finishing_;
    }
    return seats_[cpu].control.pass(env_);
  }

  /// An AP that has handed over, or was given up, is out of the section that it was in.
  void update_section(unsigned cpu) {
    if (seats_[cpu].inside != Section::kNone && seats_[cpu].control.section() != seats_[cpu].inside)
      gates_.move(seats_[cpu].inside, Section::kNone);
  }

  [[nodiscard]] bool admits(unsigned cpu, Section section) {
    if (exclusive_.has(section) && gates_.is_anybody_in(section))
      return false;
    if (section != Section::kStarting || down_ || seats_[cpu].finishing)
      return true;
    return finishing_ < policy_.finishing && !(policy_.kick_first && can_begin());
  }

  void open_gates() {
    for (const Section section : {Section::kStarting, Section::kOnline}) {
      CpuList &gate = gates_.before(section);
      while (!gate.empty() && admits(gate.front(), section)) {
        const unsigned cpu = gate.take_front(links_);
        settle(cpu, pass(cpu));
      }
    }
  }

  E &env_;
  const Settings &settings_;
  Policy policy_;
  std::span<Seat<E>> seats_;
  SeatLinks<E> links_{seats_};
  Deadlines<E> deadlines_{seats_, {}, {}, {}};
  Exclusive exclusive_;
  CpuList ready_; ///< APs to be kicked, or to be taken down
  CpuList free_;  ///< CPUs that are up, and can be left an AP
  Gates gates_;
  std::uint32_t cycle_ = 0;
  bool down_ = false; ///< CPUs are being taken down
  unsigned in_flight_ = 0;
  unsigned finishing_ = 0;
  unsigned undecided_ = 0;
  Own own_; ///< of those in flight, CPU 0's own
  std::uint64_t careful_until_ = 0;
};

} // namespace reveille::core
