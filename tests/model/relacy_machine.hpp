// The core under Relacy: CPU 0, and one AP with a thread, or with one for each attempt, or two
// APs. Wakes, kicks and mailboxes order nothing, so that the only order between the threads is
// the one that core's own memory orders make.
#pragma once

#include "relacy_cell.hpp"

#include "core/ap.hpp"
#include "core/driver.hpp"

#include <array>
#include <optional>

namespace reveille::model {

using abi::EventKind;
using abi::Place;
using abi::State;
using abi::Word;
using core::Section;
using core::StepTarget;

inline constexpr unsigned kAp = 1; ///< the AP that a plan speaks of
inline constexpr unsigned kMaxAps = 2;
inline constexpr unsigned kMaxAttempts = 4; ///< of all CPUs together

/// What a test makes of a run. All of it is fixed: Relacy repeats each run many times.
struct Plan {
  bool races_always = false;                      ///< from the first instruction to the last
  std::optional<Place> races_from = {};           ///< or from where an AP comes to this place
  std::optional<Place> races_to = {};             ///< to where it comes to this one
  unsigned races_in_attempt = 0;                  ///< both in this attempt of it; 0: in any
  unsigned races_on_cpu = 0;                      ///< and by this CPU; 0: by any
  std::optional<EventKind> races_from_event = {}; ///< or from where a control CPU logs this
  bool races_from_kick = false;                   ///< or from the kick on
  bool races_from_failure = false;                ///< or from a failed step on
  std::optional<State> give_up[2] =
      {};                         ///< by attempt: the CP's time is up as soon as the AP is let go on to this
  bool races_from_give_up = true; ///< and from there on, until the AP is seen to have arrived
  std::optional<Place> late_at = {}; ///< but its time is not up before the first attempt is at this place
  unsigned races_from_attempt = 1;   ///< but not before this attempt is given up
  unsigned attempts = 1;
  unsigned aps = 1;
  unsigned phases = 1;        ///< up, down, up again
  bool first_in_turn = false; ///< the first phase is one AP after the other
  abi::Strategy strategy = abi::Strategy::kParallel;
  unsigned lapses = 0; ///< how often CPU 0 may find that a lease has not been renewed for its time
  std::optional<Place> lapses_at = {}; ///< but not before the AP that is left to another is here
  bool resets = true;             ///< a kick resets the AP, as an INIT does; else each attempt has a thread
  Section fails = Section::kNone; ///< the step of this section fails, in the first attempt
  bool awaits_proof = true;       ///< the CP serves until nothing is quarantined
  bool hints = false;             ///< the CP is made to look before there is anything to see
  bool rendezvous = false;        ///< whether AP and CP meet for the TSC
  std::optional<State> ends = State::kActive; ///< what the last attempt must come to
};

struct Area {
  Plain<std::uint32_t> prepared; ///< by PREPARE: for which attempt
  Plain<unsigned> uses;          ///< by everybody who has a right to it
  Plain<unsigned> failed_step;
  Plain<int> error;
};

struct TscLine {
  Cell mark, tsc;
};

/// One AP: what is shared of it, and what has become of it.
struct Cpu {
  WordCell word;
  Cell lease;
  Cell control; ///< the CPU that brings it up
  TscLine tsc_ap, tsc_cp;
  std::array<Plain<std::uint32_t>, kMaxAttempts + 1> token_of_page;
  Plain<unsigned> device;         ///< its own, whatever the attempt: what STARTING steps set up
  Plain<unsigned> control_object; ///< what a control CPU knows of it
  bool online = false, down = false, failed = false;
};

/// What the threads of a run share.
struct Machine {
  Plan plan;
  core::Settings settings;
  std::optional<Cpu> aps[kMaxAps]; ///< from CPU 1 on, as many as there are
  core::Arrivals<Cell, kMaxAps + 1> arrivals;
  std::array<Area, kMaxAttempts> areas;
  Bell bell[3]; ///< by thread
  // Not memory: what a kick carries by itself, and the test's own account.
  std::uint32_t start_page[3] = {}; ///< by thread, plus 1; 0: none
  bool over = false;
  unsigned tokens = 0;
  unsigned areas_held = 0;
  unsigned areas_freed = 0;
  bool given_up = false;
  bool late = false;      ///< the first attempt is where it is to be late
  bool may_lapse = false; ///< an AP is left to another control CPU, which may be shut out
  bool wake_died = false; ///< an AP was reset, perhaps between its arrival and its wake

  explicit Machine(const Plan &p) : plan(p) {
    settings.cpus = p.aps + 1;
    settings.strategy = p.strategy;
    settings.attempts = p.attempts;
    settings.stop = abi::Stop::kNone;
    settings.timeout = settings.recheck = 100;
    settings.tsc_wait = p.rendezvous ? 1000 : 0;
    settings.tsc_look = 1000;
    settings.tsc_rounds = p.rendezvous ? 1 : 0;
    stage = Stage{};
    stage.racing = p.races_always;
    stage.running = p.aps == 1 && p.resets ? 2 : 3;
    for (unsigned cpu = 1; cpu <= p.aps; ++cpu)
      aps[cpu - 1].emplace().word.belongs_to(p.aps == 1 ? 0 : cpu);
  }
  [[nodiscard]] Cpu &cpu(unsigned n) { return *aps[n - 1]; }
  [[nodiscard]] bool is_tree() const { return plan.strategy == abi::Strategy::kTree; }
  [[nodiscard]] unsigned cpu_of(unsigned thread) const { return plan.aps == 1 ? kAp : thread; }
  /// What a wake tells, for a full barrier comes before it: the words and the leases as they are now.
  void catch_up() {
    for (unsigned n = 1; n <= plan.aps; ++n) {
      cpu(n).word.catch_up();
      cpu(n).lease.catch_up();
    }
  }
  void ring(unsigned cpu) {
    bell[cpu].ring();
    if (plan.aps == 1 && cpu == kAp && !plan.resets) // a thread for each attempt
      bell[2].ring();
  }
};

class Env {
public:
  Env(Machine &m, unsigned self) : m_(m), self_(self) {}
  unsigned cpu() { return self_; }
  WordCell &word(unsigned cpu) { return m_.cpu(cpu).word; }
  TscLine &tsc_ap(unsigned cpu) { return m_.cpu(cpu).tsc_ap; }
  TscLine &tsc_cp(unsigned cpu) { return m_.cpu(cpu).tsc_cp; }
  Cell &lease(unsigned cpu) { return m_.cpu(cpu).lease; }
  auto &arrivals() { return m_.arrivals; }
  unsigned step_count(Section) { return 1; }
  core::StepInfo step_info(Section, unsigned) { return {"step", true, true}; }
  int start_step(Section section, unsigned, StepTarget &target) {
    if (section == Section::kPrepare) {
      target.token = m_.tokens++;
      RL_ASSERT(target.token < kMaxAttempts);
      ++m_.areas_held;
      m_.areas[target.token].prepared.set(target.attempt);
      return 0;
    }
    RL_ASSERT(m_.areas[target.token].prepared.get() == target.attempt);
    touch(target);
    return m_.plan.fails == section && target.attempt == 1 ? -5 : 0;
  }
  void undo_step(Section section, unsigned, StepTarget &target) {
    touch(target);
    if (section != Section::kPrepare)
      return;
    m_.areas[target.token].prepared.set(0);
    --m_.areas_held;
    ++m_.areas_freed;
  }
  void relax() { spin(); }

protected:
  void touch(const StepTarget &target) {
    Area &area = m_.areas[target.token];
    area.uses.set(area.uses.get() + 1);
    m_.cpu(target.cpu).device.set(target.attempt);
  }

  // NOLINTBEGIN(cppcoreguidelines-non-private-member-variables-in-classes)
  Machine &m_;
  unsigned self_;
  // NOLINTEND(cppcoreguidelines-non-private-member-variables-in-classes)
};

class ApEnv : public Env {
public:
  ApEnv(Machine &m, unsigned cpu, Word claimed)
      : Env(m, cpu), attempt_(claimed.attempt),
        token_(m.cpu(cpu).token_of_page[claimed.attempt % abi::kPages].get()) {
    RL_ASSERT(m_.areas[token_].prepared.get() == attempt_);
  }
  unsigned control_cpu() {
    // A read-modify-write on both sides is the full barrier that is asked for.
    return m_.is_tree() ? static_cast<unsigned>(m_.cpu(self_).control.fetch_or(0, std::memory_order_acq_rel))
                        : 0;
  }
  std::uint32_t token() { return token_; }
  std::uint64_t now() { return 0; }
  void log(EventKind, unsigned, std::uint32_t, std::uint64_t, std::uint64_t) {}
  void at(Place place) {
    Area &area = m_.areas[token_];
    area.uses.set(area.uses.get() + 1);
    if (m_.plan.late_at == place && !m_.late) {
      m_.late = true;
      if (m_.plan.resets) { // stays here until it is
        m_.bell[0].ring();
        m_.bell[rl::thread_index()].halt();
      } else {
        rl::systemwide_fence(RL_INFO); // what it has done so far is long over
        m_.bell[0].ring();
        race(true);
      }
    }
    if (m_.plan.races_in_attempt != 0 && m_.plan.races_in_attempt != attempt_)
      return;
    if (m_.plan.races_on_cpu != 0 && m_.plan.races_on_cpu != self_)
      return;
    if (m_.plan.lapses_at == place) {
      m_.may_lapse = true;
      m_.bell[0].ring();
    }
    if (m_.plan.races_from == place)
      race(true);
    if (m_.plan.races_to == place)
      race(false);
  }
  void wake(unsigned cpu) { m_.ring(cpu); }
  template <class Until> void wait(Until &&until) {
    while (!until()) {
      if (m_.wake_died) { // what the CP's timer is for
        m_.wake_died = false;
        m_.bell[0].ring();
      }
      m_.bell[rl::thread_index()].halt();
    }
  }
  template <class Until> void idle(Until &&until) {
    while (!m_.over && !until()) {
      m_.bell[rl::thread_index()].halt();
      m_.catch_up();
    }
  }
  template <class Until> bool wait_for(Until &&until, std::uint64_t ticks) {
    if (ticks == 0)
      return until();
    while (!until()) {
      if (m_.given_up) // by then its own timer has rung
        return false;
      m_.bell[rl::thread_index()].halt();
    }
    return true;
  }
  void put_failure(unsigned step, int error) {
    if (m_.plan.races_from_failure)
      race(true);
    if (m_.plan.hints && m_.arrivals.raise(self_)) // a wake from nowhere: the map tells the CP nothing
      m_.bell[0].ring();
    m_.areas[token_].failed_step.set(step);
    m_.areas[token_].error.set(error);
  }
  void enter_idle() {}
  void leave_idle() {}

private:
  std::uint32_t attempt_;
  std::uint32_t token_;
};

/// Of CPU 0, or of another control CPU.
class CpEnv : public Env {
public:
  explicit CpEnv(Machine &m, unsigned self = 0) : Env(m, self) {}
  std::uint64_t now() { return now_; }
  /// Every look at an AP's word is one of whoever has its control object, and nobody else.
  WordCell &word(unsigned cpu) {
    Plain<unsigned> &object = m_.cpu(cpu).control_object;
    if (m_.is_tree())
      object.set(object.get() + 1);
    return Env::word(cpu);
  }
  void log(EventKind kind, unsigned cpu, std::uint32_t attempt, std::uint64_t, std::uint64_t b) {
    const State to = Word::from(b).state;
    if (kind == EventKind::kMoved && cpu == kAp && attempt <= 2 && m_.plan.give_up[attempt - 1]) {
      if (to == State::kAbandoned) {
        m_.plan.give_up[attempt - 1].reset();
        gave_up_ = false;
        m_.given_up = true;
        if (m_.plan.rendezvous)
          m_.ring(kAp);
      } else if (gave_up_) {
        gave_up_ = false; // it had arrived first: the rest is like any other bring-up
        m_.plan.give_up[attempt - 1].reset();
        race(m_.plan.races_always);
      } else if (to == *m_.plan.give_up[attempt - 1]) {
        time_is_up_ = true;
      }
    }
    if (m_.plan.races_from_event == kind)
      race(true);
    switch (kind) {
    case EventKind::kOnline:
      m_.cpu(cpu).online = true;
      m_.cpu(cpu).down = false;
      break;
    case EventKind::kOffline:
      m_.cpu(cpu).online = false;
      m_.cpu(cpu).down = true;
      break;
    case EventKind::kFailed:
      m_.cpu(cpu).online = false;
      m_.cpu(cpu).failed = true;
      break;
    case EventKind::kDelegated:
      m_.may_lapse = !m_.plan.lapses_at;
      break;
    case EventKind::kReturned:
    case EventKind::kFenced: // it is to let go, not to be lost
      m_.may_lapse = false;
      break;
    default:
      break;
    }
  }
  void at_kick(unsigned) {
    if (m_.plan.races_from_kick)
      race(true);
  }
  void publish_attempt(StepTarget target, std::uint32_t, std::uint32_t) {
    m_.cpu(target.cpu).token_of_page[target.attempt % abi::kPages].set(target.token);
  }
  void publish_control(unsigned cpu) {
    if (m_.is_tree())
      m_.cpu(cpu).control.exchange(self_, std::memory_order_acq_rel);
  }
  void freeze_steps(bool) {}
  unsigned primary_of(unsigned cpu) { return cpu; }
  void kick(unsigned cpu, std::uint32_t attempt) {
    const unsigned thread = m_.plan.aps > 1 ? cpu : m_.plan.resets ? 1 : attempt;
    m_.start_page[thread] = attempt % abi::kPages + 1;
    stage.reset[thread] = m_.plan.resets && attempt > 1;
    m_.bell[thread].ring();
  }
  [[nodiscard]] bool can_kick_all() const { return false; }
  void kick_all(std::uint32_t) {}
  void stop(unsigned, std::uint32_t) {}
  void wake(unsigned cpu) { m_.ring(cpu); }
  /// With no timer but for those who are to be given up: an arrival that is lost is a deadlock.
  template <class Until> void wait_until(Until &&until, std::uint64_t deadline) {
    if (self_ != 0) { // any return is only a hint, and a wake brings it back
      if (!until())
        m_.bell[rl::thread_index()].halt();
      m_.catch_up();
      return;
    }
    if (m_.may_lapse && lapses_ < m_.plan.lapses) {
      ++lapses_;
      now_ = deadline;
      return;
    }
    if (time_is_up_) {
      while (m_.plan.late_at && !m_.late)
        m_.bell[0].halt();
      time_is_up_ = false;
      gave_up_ = true;
      if (m_.plan.races_from_give_up && ++given_up_ >= m_.plan.races_from_attempt)
        race(true);
      now_ = deadline;
      return;
    }
    while (!until() && !(m_.may_lapse && lapses_ < m_.plan.lapses))
      m_.bell[0].halt();
  }
  core::Failure failure(StepTarget target) {
    return {m_.areas[target.token].failed_step.get(), m_.areas[target.token].error.get()};
  }

private:
  std::uint64_t now_ = 1;
  bool time_is_up_ = false;
  bool gave_up_ = false;
  unsigned given_up_ = 0;
  unsigned lapses_ = 0;
};

static_assert(core::ApEnvironment<ApEnv> && core::CpEnvironment<CpEnv>);

} // namespace reveille::model
