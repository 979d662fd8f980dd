// The core under Relacy: one control CPU, and one AP with a thread, or with one for each attempt.
// Wakes, kicks and mailboxes order nothing, so that the only order between the threads is the
// one that core's own memory orders make.
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

inline constexpr unsigned kAp = 1; ///< the only AP's CPU number

/// What a test makes of a run. All of it is fixed: Relacy repeats each run many times.
struct Plan {
  bool races_always = false;            ///< from the first instruction to the last
  std::optional<Place> races_from = {}; ///< or from where the AP comes to this place
  std::optional<Place> races_to = {};   ///< to where it comes to this one
  bool races_from_kick = false;         ///< or from the kick on
  bool races_from_failure = false;      ///< or from a failed step on
  std::optional<State> give_up[2] =
      {};                         ///< by attempt: the CP's time is up as soon as the AP is let go on to this
  bool races_from_give_up = true; ///< and from there on, until the AP is seen to have arrived
  std::optional<Place> late_at = {}; ///< but its time is not up before the first attempt is at this place
  unsigned races_from_attempt = 1;   ///< but not before this attempt is given up
  unsigned attempts = 1;
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

/// What the threads of a run share.
struct Machine {
  Plan plan;
  core::Settings settings;
  WordCell word;
  Cell lease;
  TscLine tsc_ap, tsc_cp;
  core::Arrivals<Cell, 2> arrivals;
  std::array<Plain<std::uint32_t>, abi::kPages> token_of_page;
  std::array<Area, 3> areas;
  Plain<unsigned> device; ///< the CPU's own, whatever the attempt: what STARTING steps set up
  Bell bell[3];           ///< by thread
  // Not memory: what a kick carries by itself, and the test's own account.
  std::uint32_t start_page[3] = {}; ///< by thread, plus 1; 0: none
  bool over = false;
  unsigned tokens = 0;
  unsigned areas_held = 0;
  unsigned areas_freed = 0;
  bool online = false, failed = false;
  bool given_up = false;
  bool late = false;      ///< the first attempt is where it is to be late
  bool wake_died = false; ///< an AP was reset, perhaps between its arrival and its wake

  explicit Machine(const Plan &p) : plan(p) {
    settings.cpus = 2;
    settings.attempts = p.attempts;
    settings.stop = abi::Stop::kNone;
    settings.timeout = settings.recheck = 100;
    settings.tsc_wait = p.rendezvous ? 1000 : 0;
    settings.tsc_turn = 1000;
    settings.tsc_rounds = p.rendezvous ? 1 : 0;
    stage = Stage{};
    stage.racing = p.races_always;
  }
  void ring_aps() {
    bell[1].ring();
    if (!plan.resets)
      bell[2].ring();
  }
};

class Env {
public:
  explicit Env(Machine &m) : m_(m) {}
  WordCell &word(unsigned) { return m_.word; }
  TscLine &tsc_ap(unsigned) { return m_.tsc_ap; }
  TscLine &tsc_cp(unsigned) { return m_.tsc_cp; }
  Cell &lease(unsigned) { return m_.lease; }
  auto &arrivals() { return m_.arrivals; }
  unsigned step_count(Section) { return 1; }
  core::StepInfo step_info(Section, unsigned) { return {"step", true, true}; }
  int start_step(Section section, unsigned, StepTarget &target) {
    if (section == Section::kPrepare) {
      target.token = m_.tokens++;
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
    m_.device.set(target.attempt);
  }

  // NOLINTNEXTLINE(cppcoreguidelines-non-private-member-variables-in-classes)
  Machine &m_;
};

class ApEnv : public Env {
public:
  ApEnv(Machine &m, Word claimed)
      : Env(m), attempt_(claimed.attempt), token_(m.token_of_page[claimed.attempt % abi::kPages].get()) {
    RL_ASSERT(m_.areas[token_].prepared.get() == attempt_);
  }
  unsigned cpu() { return kAp; }
  unsigned control_cpu() { return 0; }
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
        stage.racing = true;
      }
    }
    if (m_.plan.races_from == place)
      stage.racing = true;
    if (m_.plan.races_to == place)
      stage.racing = false;
  }
  void wake(unsigned) { m_.bell[0].ring(); }
  template <class Until> void wait(Until &&until) {
    while (!until()) {
      if (m_.wake_died) { // what the CP's timer is for
        m_.wake_died = false;
        m_.bell[0].ring();
      }
      m_.bell[rl::thread_index()].halt();
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
  template <class Until> void idle(Until &&until) { wait(until); }
  void put_failure(unsigned step, int error) {
    if (m_.plan.races_from_failure)
      stage.racing = true;
    if (m_.plan.hints && m_.arrivals.raise(kAp)) // a wake from nowhere: the map tells the CP nothing
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

class CpEnv : public Env {
public:
  explicit CpEnv(Machine &m) : Env(m) {}
  std::uint64_t now() { return now_; }
  void log(EventKind kind, unsigned, std::uint32_t attempt, std::uint64_t, std::uint64_t b) {
    const State to = Word::from(b).state;
    if (kind == EventKind::kMoved && attempt <= 2 && m_.plan.give_up[attempt - 1]) {
      if (to == State::kAbandoned) {
        m_.plan.give_up[attempt - 1].reset();
        gave_up_ = false;
        m_.given_up = true;
        if (m_.plan.rendezvous)
          m_.ring_aps();
      } else if (gave_up_) {
        gave_up_ = false; // it had arrived first: the rest is like any other bring-up
        m_.plan.give_up[attempt - 1].reset();
        stage.racing = m_.plan.races_always;
      } else if (to == *m_.plan.give_up[attempt - 1]) {
        time_is_up_ = true;
      }
    }
    if (kind == EventKind::kOnline)
      m_.online = true;
    if (kind == EventKind::kFailed)
      m_.failed = true;
  }
  void at_kick(unsigned) {
    if (m_.plan.races_from_kick)
      stage.racing = true;
  }
  unsigned cpu() { return 0; }
  void publish_attempt(StepTarget target, std::uint32_t, std::uint32_t) {
    m_.token_of_page[target.attempt % abi::kPages].set(target.token);
  }
  void publish_control(unsigned) {}
  void freeze_steps(bool) {}
  unsigned primary_of(unsigned cpu) { return cpu; }
  void kick(unsigned, std::uint32_t attempt) {
    const unsigned thread = m_.plan.resets ? 1 : attempt;
    m_.start_page[thread] = attempt % abi::kPages + 1;
    stage.reset[thread] = m_.plan.resets && attempt > 1;
    m_.bell[thread].ring();
  }
  void stop(unsigned, std::uint32_t) {}
  void wake(unsigned) { m_.ring_aps(); }
  /// With no timer but for those who are to be given up: an arrival that is lost is a deadlock.
  template <class Until> void wait_until(Until &&until, std::uint64_t deadline) {
    if (time_is_up_) {
      while (m_.plan.late_at && !m_.late)
        m_.bell[0].halt();
      time_is_up_ = false;
      gave_up_ = true;
      if (m_.plan.races_from_give_up && ++given_up_ >= m_.plan.races_from_attempt)
        stage.racing = true;
      now_ = deadline;
      return;
    }
    while (!until())
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
};

static_assert(core::ApEnvironment<ApEnv> && core::CpEnvironment<CpEnv>);

/// What the control CPU does: brings up, then serves those who come late until all is proven.
inline void control_cpu(Machine &m) {
  CpEnv env(m);
  std::array<core::Seat<CpEnv>, 2> seats;
  core::Driver<CpEnv> driver(env, m.settings, seats);
  driver.bring_up();
  while (m.plan.awaits_proof && seats[kAp].control.quarantined() > 0) {
    driver.poll();
    if (seats[kAp].control.quarantined() > 0)
      env.wait_until([&] { return m.arrivals.any(); }, driver.deadline());
  }
  RL_ASSERT(m.online != m.failed);
  RL_ASSERT(m.areas_held == (m.online ? 1U : 0U) + seats[kAp].control.quarantined());
  m.over = true;
  m.ring_aps();
}

/// One start of an AP, from the claim to its end.
inline void ap_start(Machine &m, std::uint32_t page) {
  const core::Claim claim = core::claim(m.word, page, abi::kPages);
  if (!claim.won)
    return;
  ApEnv env(m, claim.word);
  core::ApSide<ApEnv> side(env, claim.word, m.settings);
  if (side.bring_up() == core::ApEnd::kRest)
    core::come_to_rest(env, side.word());
}

/// What an AP's thread does: starts when it is kicked, and again when it is reset and kicked.
inline void ap_cpu(Machine &m, unsigned thread) {
  for (;;) {
    try {
      while (m.start_page[thread] == 0 && !m.over)
        m.bell[thread].halt();
      if (m.start_page[thread] == 0)
        return;
      stage.reset[thread] = false; // taken, or there was nothing running to reset
      const std::uint32_t page = m.start_page[thread] - 1;
      m.start_page[thread] = 0;
      m.word.catch_up(); // the kick came after the word
      ap_start(m, page);
    } catch (const Reset &) {
      m.wake_died = true;
    }
  }
}

/// A run, as Relacy wants it. `Scene::plan()` says what is to happen.
template <class Scene, rl::thread_id_t kThreads = 2>
struct Run : rl::test_suite<Run<Scene, kThreads>, kThreads> {
  Machine machine{Scene::plan()};

  void thread(unsigned index) {
    if (index == 0)
      control_cpu(machine);
    else
      ap_cpu(machine, index);
  }
  void after() {
    const Word last = Word::from(machine.word.latest());
    if (machine.plan.ends)
      RL_ASSERT(last.state == *machine.plan.ends);
    RL_ASSERT((last.state == State::kActive) == machine.online);
  }
};

} // namespace reveille::model
