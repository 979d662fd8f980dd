// A machine in virtual time, in which APs do what the test says. The CP's side is the real one,
// on CPU 0 and on other control CPUs; an AP's moves are made on its word by hand, or by habit.
#pragma once

#include "contexts.hpp"

#include "core/arrivals.hpp"
#include "core/driver.hpp"
#include "core/tsc.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace reveille::unit {

using abi::EventKind;
using abi::State;
using abi::Word;
using core::Outcome;
using core::Section;
using core::StepTarget;
using protocol::Mover;

struct Record {
  std::uint64_t time;
  unsigned writer; ///< the CPU that wrote it
  EventKind kind;
  unsigned cpu;
  std::uint32_t attempt;
  std::uint64_t a;
  std::uint64_t b;
};

/// An undone step, as the log tells it.
struct Undone {
  unsigned cpu;
  std::uint32_t attempt;
  Section section;
  unsigned step;
  friend bool operator==(const Undone &, const Undone &) = default;
};

/// How an AP behaves when nobody moves it by hand.
struct Habit {
  std::uint64_t pace = 10;           ///< ticks from being let go on to each move
  State dies_in = State::kDown;      ///< never leaves this state; kDown: lives
  Section fails_in = Section::kNone; ///< a step of this section fails
  unsigned fails_at = 0;             ///< which
};

/// Where an AP's turn ends when all goes well.
[[nodiscard]] inline State next_of(State state) {
  for (const protocol::PointRow &point : protocol::kPoints)
    if (point.before == state)
      return point.arrived;
  switch (state) {
  case State::kKicked:
    return State::kClaimed;
  case State::kUndoOnline:
    return State::kDying;
  case State::kUndoStarting:
    return State::kDead;
  default:
    throw std::logic_error("it is not the AP's turn");
  }
}

class ScriptedMachine {
public:
  using Cell = std::atomic<std::uint64_t>;
  struct TscLine {
    Cell mark = 0;
    Cell tsc = 0;
  };
  struct Cpu {
    Cell word = 0;
    TscLine tsc_ap, tsc_cp;
    std::map<std::uint32_t, std::uint32_t> token_of_page;
    std::uint32_t ordinal = 0;
    std::uint32_t cycle = 0;
    Cell lease = 0;
    unsigned control_cpu = 0;
    unsigned primary = 0; ///< 0: its own
    core::Failure failure;
  };
  static constexpr unsigned kMaxCpus = 70;
  static constexpr unsigned kEndless = 100'000; ///< more of anything than any test has

  explicit ScriptedMachine(unsigned cpus) : cpus_(cpus) {}

  // What core asks for.

  Cell &word(unsigned cpu) { return cpus_.at(cpu).word; }
  TscLine &tsc_ap(unsigned cpu) { return cpus_.at(cpu).tsc_ap; }
  TscLine &tsc_cp(unsigned cpu) { return cpus_.at(cpu).tsc_cp; }
  Cell &lease(unsigned cpu) { return cpus_.at(cpu).lease; }
  auto &arrivals() { return arrivals_; }
  [[nodiscard]] unsigned cpu() const { return contexts.self(); }
  [[nodiscard]] std::uint64_t now() {
    if (++looks_ >= 100 * kEndless)
      throw std::runtime_error("the CP looks at the clock again and again");
    return time;
  }
  void log(EventKind kind, unsigned cpu, std::uint32_t attempt, std::uint64_t a, std::uint64_t b) {
    if (records.size() >= kEndless)
      throw std::runtime_error("the CP does not come to an end");
    records.push_back({time, contexts.self(), kind, cpu, attempt, a, b});
    if (kind == EventKind::kMoved) {
      EXPECT_TRUE(protocol::is_legal(Word::from(a), Word::from(b), Mover::kCp))
          << protocol::name(Word::from(a).state) << " to " << protocol::name(Word::from(b).state);
      EXPECT_EQ(word(cpu).load(), b);
      moves.emplace_back(cpu, Word::from(b).state);
    }
  }
  unsigned step_count(Section section) const { return steps.at(section); }
  core::StepInfo step_info(Section section, unsigned i) const {
    return {"step", !exclusive.contains({section, i}), !local.contains({section, i})};
  }
  int start_step(Section section, unsigned i, StepTarget &target) {
    if (section == Section::kPrepare && i == 0)
      target.token = ++tokens;
    return start(section, i, target.cpu, target.attempt);
  }
  void undo_step(Section section, unsigned i, const StepTarget &target) {
    undone.push_back({target.cpu, target.attempt, section, i});
    if (section == Section::kPrepare && i == 0)
      freed.push_back(target.token);
  }
  void wake(unsigned cpu) {
    woken.push_back(cpu);
    if (serve && !contexts.is_busy(cpu) && is_leased(cpu))
      after(control_pace, [this, cpu] {
        if (!contexts.is_busy(cpu) && is_leased(cpu))
          contexts.begin(cpu, serve);
      });
    contexts.wake(cpu);
    act_soon(cpu);
    after_release(cpu);
  }
  void relax() {
    ++time;
    while_looking();
  }
  void at_kick(unsigned cpu) { before_kick(cpu); }
  void publish_attempt(StepTarget target, std::uint32_t ordinal, std::uint32_t cycle) {
    cpus_.at(target.cpu).token_of_page[target.attempt % abi::kPages] = target.token;
    cpus_.at(target.cpu).ordinal = ordinal;
    cpus_.at(target.cpu).cycle = cycle;
  }
  void publish_control(unsigned cpu) { cpus_.at(cpu).control_cpu = contexts.self(); }
  void freeze_steps(bool freeze) { table.freeze(freeze); }
  [[nodiscard]] unsigned primary_of(unsigned cpu) {
    return cpus_.at(cpu).primary == 0 ? cpu : cpus_.at(cpu).primary;
  }
  void kick(unsigned cpu, std::uint32_t attempt) {
    EXPECT_EQ(seen(cpu), (Word{attempt, State::kKicked, 0})) << "the word first, then the kick";
    kicks.emplace_back(cpu, attempt);
    act_soon(cpu);
    after_kick(cpu);
  }
  [[nodiscard]] bool can_kick_all() const { return kicks_all; }
  void kick_all(std::uint32_t attempt) {
    broadcasts.push_back(attempt);
    for (unsigned cpu = 1; cpu < cpus_.size(); ++cpu)
      kick(cpu, attempt);
  }
  void stop(unsigned cpu, std::uint32_t attempt) {
    stops.emplace_back(cpu, attempt);
    after_stop(cpu);
  }
  template <class Until> void wait_until(Until &&until, std::uint64_t deadline) {
    if (until())
      return;
    if (++waits >= kEndless)
      throw std::runtime_error("the CP waits again and again");
    if (contexts.self() != 0)
      return contexts.wait(until, deadline);
    if (contexts.run_one(time))
      return;
    const auto due = events_.begin();
    const std::uint64_t next =
        std::min({deadline, contexts.deadline(), due == events_.end() ? kNever : due->first});
    if (next == kNever)
      throw std::runtime_error("the CP waits for ever, and nothing is to come");
    time = std::max(time, next);
    if (due != events_.end() && due->first == next) {
      const auto event = due->second;
      events_.erase(due);
      event();
    }
  }
  /// By a hook: the CPU that runs it is held. CPU 0 loses the time itself.
  void hold(std::uint64_t ticks) {
    if (contexts.self() != 0)
      contexts.wait([] { return false; }, ticks == kNever ? kNever : time + ticks);
    else
      time += ticks;
  }
  core::Failure failure(StepTarget target) { return cpus_.at(target.cpu).failure; }

  // What a test does.

  [[nodiscard]] Word seen(unsigned cpu) { return Word::from(word(cpu).load()); }
  [[nodiscard]] std::uint32_t token_of_page(unsigned cpu, unsigned page) {
    return cpus_.at(cpu).token_of_page[page];
  }
  [[nodiscard]] std::uint32_t ordinal(unsigned cpu) { return cpus_.at(cpu).ordinal; }
  [[nodiscard]] std::uint32_t cycle(unsigned cpu) { return cpus_.at(cpu).cycle; }
  void set_primary(unsigned cpu, unsigned primary) { cpus_.at(cpu).primary = primary; }

  /// The AP moves its word, as the table allows, and says so.
  void ap_moves(unsigned cpu, State next, std::uint16_t step = 0) {
    const Word before = seen(cpu);
    const Word after = before.with(next, step);
    ASSERT_TRUE(protocol::is_legal(before, after, Mover::kAp))
        << protocol::name(before.state) << " to " << protocol::name(next);
    word(cpu).store(after.bits());
    moves.emplace_back(cpu, after.state);
    if (const unsigned control = cpus_.at(cpu).control_cpu; control != 0)
      contexts.wake(control);
    else
      static_cast<void>(arrivals_.raise(cpu));
  }
  void ap_reports(unsigned cpu, State failed, unsigned step, int error) {
    cpus_.at(cpu).failure = {step, error};
    ap_moves(cpu, failed);
  }
  /// A hint that has nothing behind it.
  void hint(unsigned cpu) { static_cast<void>(arrivals_.raise(cpu)); }
  void after(std::uint64_t delay, std::function<void()> event) {
    events_.emplace(time + delay, std::move(event));
  }

  [[nodiscard]] std::vector<Record> logged(EventKind kind) const {
    std::vector<Record> found;
    for (const Record &record : records)
      if (record.kind == kind)
        found.push_back(record);
    return found;
  }
  [[nodiscard]] bool was_logged(EventKind kind) const { return !logged(kind).empty(); }
  [[nodiscard]] Record last(EventKind kind) const {
    const std::vector<Record> found = logged(kind);
    return found.empty() ? Record{} : found.back();
  }

  static constexpr std::uint64_t kNever = Contexts::kNever;

  std::uint64_t time = 1000;
  std::map<Section, unsigned> steps = {
      {Section::kPrepare, 2}, {Section::kStarting, 3}, {Section::kOnline, 2}};
  std::map<std::pair<Section, unsigned>, bool> local;     ///< steps that only the AP itself may undo
  std::map<std::pair<Section, unsigned>, bool> exclusive; ///< steps for one CPU at a time
  core::StepTable<int, 2> table; ///< one to register steps in; nothing is done with them
  std::function<int(Section, unsigned step, unsigned cpu, std::uint32_t attempt)> start =
      [](Section, unsigned, unsigned, std::uint32_t) { return 0; };
  std::function<void()> while_looking = [] {};
  std::function<void(unsigned cpu)> before_kick = [](unsigned) {};
  std::function<void(unsigned cpu)> after_kick = before_kick, after_stop = before_kick,
                                    after_release = before_kick;
  /// With a habit an AP goes on by itself; a test without one moves it by hand.
  std::function<Habit(unsigned cpu, std::uint32_t attempt)> habit;

  /// What a CPU does that has been left an AP; nothing: the test does it by hand.
  std::function<void()> serve;
  std::uint64_t control_pace = 1; ///< ticks until it begins
  Contexts contexts;

  std::vector<Record> records;
  std::vector<std::pair<unsigned, State>> moves; ///< of both sides
  std::vector<std::pair<unsigned, std::uint32_t>> kicks, stops;
  bool kicks_all = false;                ///< a broadcast would start all that are to be brought up
  std::vector<std::uint32_t> broadcasts; ///< the attempts of those that were sent
  std::vector<unsigned> woken;
  std::vector<Undone> undone;
  std::vector<std::uint32_t> freed;
  std::uint32_t tokens = 0;
  unsigned waits = 0;

private:
  [[nodiscard]] bool is_leased(unsigned cpu) {
    const auto phase = core::Lease::from(lease(cpu)).phase;
    return phase == core::Lease::Phase::kHeld || phase == core::Lease::Phase::kFenced;
  }
  void act_soon(unsigned cpu) {
    if (!habit)
      return;
    const Word now_at = seen(cpu);
    if (!protocol::is_ap_owned(now_at.state))
      return;
    const Habit h = habit(cpu, now_at.attempt);
    if (h.dies_in == now_at.state)
      return;
    after(h.pace, [this, cpu, now_at, h] {
      if (seen(cpu) == now_at && contexts.is_busy(cpu))
        act_soon(cpu); // as long as it brings another one up
      else if (seen(cpu) == now_at)
        act(cpu, now_at.state, h);
    });
  }

  /// The AP's next move.
  void act(unsigned cpu, State state, const Habit &h) {
    switch (state) {
    case State::kKicked:
      ap_moves(cpu, State::kClaimed);
      act_soon(cpu);
      return;
    case State::kStarting:
      run(cpu, state, Section::kStarting, h, State::kStarted, State::kStartFailed);
      return;
    case State::kActivating:
      run(cpu, state, Section::kOnline, h, State::kActive, State::kActivateFailed);
      return;
    default:
      ap_moves(cpu, next_of(state));
    }
  }

  void run(unsigned cpu, State state, Section section, const Habit &h, State done, State failed) {
    const unsigned good = h.fails_in == section ? h.fails_at : steps.at(section);
    for (unsigned i = 0; i < good; ++i)
      ap_moves(cpu, state, static_cast<std::uint16_t>(i + 1));
    if (h.fails_in == section)
      ap_reports(cpu, failed, h.fails_at, -5);
    else
      ap_moves(cpu, done);
  }

  unsigned looks_ = 0;
  std::vector<Cpu> cpus_;
  core::Arrivals<Cell, kMaxCpus> arrivals_;
  std::multimap<std::uint64_t, std::function<void()>> events_;
};

static_assert(core::CpEnvironment<ScriptedMachine>);

/// The settings of most tests: a turn of 100 ticks, no time for the TSC.
[[nodiscard]] inline core::Settings quick(unsigned cpus) {
  core::Settings settings;
  settings.cpus = cpus;
  settings.timeout = 100;
  settings.tsc_wait = 25;
  settings.tsc_look = 1;
  settings.recheck = 10;
  return settings;
}

/// A machine with its driver.
struct Bench {
  explicit Bench(core::Settings s)
      : settings(s), machine(s.cpus), seats(s.cpus), driver(machine, settings, seats) {
    machine.serve = [this] { core::Delegate<ScriptedMachine>(machine, settings, seats).serve(); };
  }
  ~Bench() { machine.contexts.end(); }
  Bench(const Bench &) = delete;
  Bench &operator=(const Bench &) = delete;
  core::Settings settings;
  ScriptedMachine machine;
  std::vector<core::Seat<ScriptedMachine>> seats;
  core::Driver<ScriptedMachine> driver;

  [[nodiscard]] unsigned count(State state) {
    unsigned n = 0;
    for (unsigned cpu = 1; cpu < settings.cpus; ++cpu)
      n += machine.seen(cpu).state == state;
    return n;
  }
  [[nodiscard]] std::uint64_t run() {
    const std::uint64_t began = machine.time;
    driver.bring_up();
    return machine.time - began;
  }
  [[nodiscard]] std::uint64_t run_down() {
    const std::uint64_t began = machine.time;
    driver.take_down();
    return machine.time - began;
  }
};

/// One CPU's control object, on a machine of its own.
struct Single {
  Single() { control.init(kCpu); }
  static constexpr unsigned kCpu = 1;
  ScriptedMachine machine{2};
  core::Settings settings = quick(2);
  core::Control<ScriptedMachine> control;

  Outcome kick() { return control.kick(machine); }
  Outcome look() { return control.look(machine, settings); }
  Outcome expire() { return control.expire(machine, settings); }
  Outcome pass() { return control.pass(machine); }
  void ap(State next, std::uint16_t step = 0) { machine.ap_moves(kCpu, next, step); }
  [[nodiscard]] Word seen() { return machine.seen(kCpu); }

  /// On the way up, until the CPU is in `state`, with the CP's part done where it is.
  void up_to(State state) {
    for (int moves = 0; seen().state != state; ++moves) {
      ASSERT_LT(moves, 50) << "does not get to " << protocol::name(state);
      const State from = seen().state;
      if (from == State::kDown || from == State::kAbandoned || from == State::kParked ||
          from == State::kDead) {
        ASSERT_EQ(kick(), Outcome::kTurn);
      } else if (from == State::kAlive || from == State::kIdle || from == State::kDying) {
        ASSERT_EQ(look(), Outcome::kAtGate);
        ASSERT_EQ(pass(), Outcome::kTurn);
      } else if (!protocol::is_ap_owned(from)) {
        ASSERT_EQ(look(), Outcome::kTurn);
      } else {
        ap(next_of(from));
      }
    }
  }
  /// And down again, from where it is up.
  void down_to(State state) {
    if (seen().state != State::kActive) {
      ASSERT_NO_FATAL_FAILURE(up_to(State::kActive));
    }
    ASSERT_EQ(look(), Outcome::kActive);
    ASSERT_EQ(control.take_down(machine), Outcome::kAtGate);
    ASSERT_EQ(pass(), Outcome::kTurn);
    ASSERT_NO_FATAL_FAILURE(up_to(state));
  }
  /// A new attempt, given up in `state`.
  void give_up_in(State state) {
    ASSERT_EQ(kick(), Outcome::kTurn);
    up_to(state);
    ASSERT_EQ(expire(), Outcome::kGaveUp);
    ASSERT_EQ(seen().state, State::kAbandoned);
  }
};

} // namespace reveille::unit
