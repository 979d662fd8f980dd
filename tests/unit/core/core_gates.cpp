// Steps that may not run on several CPUs at once: who is let into a section, and when.
#include "scripted_machine.hpp"

#include <algorithm>
#include <set>

namespace {

using namespace reveille::unit;
using reveille::abi::Strategy;

/// How many were in a section at once.
struct Crowd {
  std::map<Section, unsigned> most;
  unsigned most_together = 0; ///< in both
};

Crowd crowd_of(const ScriptedMachine &machine) {
  Crowd crowd;
  std::map<Section, std::set<unsigned>> inside;
  for (const auto &[cpu, state] : machine.moves) {
    for (auto &[section, cpus] : inside)
      cpus.erase(cpu);
    if (const Section section = reveille::protocol::section_of(state); section != Section::kNone)
      inside[section].insert(cpu);
    for (const auto &[section, cpus] : inside)
      crowd.most[section] = std::max<unsigned>(crowd.most[section], static_cast<unsigned>(cpus.size()));
    crowd.most_together =
        std::max<unsigned>(crowd.most_together, static_cast<unsigned>(inside[Section::kStarting].size() +
                                                                      inside[Section::kOnline].size()));
  }
  return crowd;
}

struct Gates : Bench {
  explicit Gates(unsigned cpus, std::vector<Section> exclusive) : Bench(quick(cpus)) {
    for (const Section section : exclusive)
      machine.exclusive[{section, 1}] = true;
    machine.habit = [](unsigned cpu, std::uint32_t) { return Habit{10 + cpu % 3}; };
  }
};

TEST(Gates, OfConcurrentStepsKeepNobodyOut) {
  Gates bench(9, {});
  static_cast<void>(bench.run());
  const Crowd crowd = crowd_of(bench.machine);
  EXPECT_GT(crowd.most.at(Section::kStarting), 4U);
  EXPECT_GT(crowd.most.at(Section::kOnline), 4U);
  bench.machine.moves.clear();
  static_cast<void>(bench.run_down());
  EXPECT_GT(crowd_of(bench.machine).most.at(Section::kStarting), 4U);
  EXPECT_GT(crowd_of(bench.machine).most.at(Section::kOnline), 4U);
}

TEST(Gates, OfAnExclusiveStepLetOneInAtATimeUpAndDown) {
  for (const Section exclusive : {Section::kStarting, Section::kOnline}) {
    const Section other = exclusive == Section::kStarting ? Section::kOnline : Section::kStarting;
    Gates bench(9, {exclusive});
    for (int cycle = 0; cycle < 3; ++cycle) {
      static_cast<void>(bench.run());
      EXPECT_EQ(bench.count(State::kActive), 8U);
      static_cast<void>(bench.run_down());
      EXPECT_EQ(bench.count(State::kDead), 8U);
    }
    const Crowd crowd = crowd_of(bench.machine);
    EXPECT_EQ(crowd.most.at(exclusive), 1U);
    EXPECT_GT(crowd.most.at(other), 1U) << "the other section is open to all";
  }
}

TEST(Gates, OfBothSectionsLetOneIntoEach) {
  Gates bench(9, {Section::kStarting, Section::kOnline});
  static_cast<void>(bench.run());
  static_cast<void>(bench.run_down());
  const Crowd crowd = crowd_of(bench.machine);
  EXPECT_EQ(crowd.most.at(Section::kStarting), 1U);
  EXPECT_EQ(crowd.most.at(Section::kOnline), 1U);
  EXPECT_EQ(crowd.most_together, 2U) << "one does not wait for the other";
}

TEST(Gates, AreOpenAgainWhenTheOneInsideIsGivenUp) {
  for (const Section section : {Section::kStarting, Section::kOnline}) {
    Gates bench(6, {section});
    bench.machine.habit = [&](unsigned cpu, std::uint32_t) {
      return Habit{1, cpu != 2                        ? State::kDown
                      : section == Section::kStarting ? State::kStarting
                                                      : State::kActivating};
    };
    EXPECT_EQ(bench.run() / bench.settings.timeout, 1U) << "it costs the others one timeout";
    EXPECT_EQ(bench.count(State::kActive), 4U);
    EXPECT_EQ(bench.machine.logged(EventKind::kFailed).size(), 1U) << "nobody is failed for waiting";
  }
}

TEST(Gates, KeepOthersOutWhileSomebodyRollsBack) {
  for (const Section section : {Section::kStarting, Section::kOnline}) {
    Gates bench(4, {section});
    bench.settings.attempts = 2;
    bench.machine.habit = [&](unsigned cpu, std::uint32_t attempt) {
      return Habit{10, State::kDown, cpu == 1 && attempt == 1 ? section : Section::kNone, 1};
    };
    static_cast<void>(bench.run());
    EXPECT_EQ(bench.count(State::kActive), 3U);
    EXPECT_EQ(crowd_of(bench.machine).most.at(section), 1U);
    EXPECT_FALSE(bench.machine.was_logged(EventKind::kTimeout));
  }
}

TEST(Gates, HoldOnTheWayOutOfAFailedOnlineStepToo) {
  // Dying it waits for the STARTING teardowns, like those who go the other way.
  Gates bench(5, {Section::kStarting});
  bench.machine.habit = [&](unsigned cpu, std::uint32_t) {
    return Habit{cpu == 1 ? 1U : 40U, State::kDown, cpu == 1 ? Section::kOnline : Section::kNone, 0};
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.machine.seen(1).state, State::kDead);
  EXPECT_EQ(bench.count(State::kActive), 3U);
  EXPECT_EQ(crowd_of(bench.machine).most.at(Section::kStarting), 1U);
  EXPECT_FALSE(bench.machine.was_logged(EventKind::kTimeout)) << "no turn runs while it waits";
}

TEST(Gates, AreNotBlockedByThoseWhoMayNotPassYet) {
  // In split all others wait before STARTING until the one that is being finished is decided. It
  // must not stand behind them when its ONLINE steps have failed and it goes back that way.
  reveille::core::Settings split = quick(5);
  split.strategy = Strategy::kSplit;
  split.attempts = 2;
  Bench bench(split);
  bench.machine.habit = [](unsigned cpu, std::uint32_t attempt) {
    return Habit{10, State::kDown, cpu < 3 && attempt == 1 ? Section::kOnline : Section::kNone, 1};
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive), 4U);
  EXPECT_EQ(bench.machine.kicks.size(), 6U);
  EXPECT_FALSE(bench.machine.was_logged(EventKind::kTimeout)) << "nobody is failed for waiting";
}

TEST(Gates, LetThoseWhoWaitInInTheirOrder) {
  Gates bench(9, {Section::kOnline});
  bench.machine.habit = [&](unsigned cpu, std::uint32_t) { // all have come before the first is through
    return Habit{bench.machine.seen(cpu).state == State::kActivating ? 90U : 1 + 7 * cpu % 5};
  };
  static_cast<void>(bench.run());
  std::vector<unsigned> came, went_in;
  for (const auto &[cpu, state] : bench.machine.moves) {
    if (state == State::kIdle)
      came.push_back(cpu);
    if (state == State::kActivating && (went_in.empty() || went_in.back() != cpu)) // not each step
      went_in.push_back(cpu);
  }
  EXPECT_EQ(went_in, came);
}

TEST(Gates, LetNobodyInBeforeThoseWhoWait) {
  Gates bench(4, {Section::kStarting});
  bench.machine.habit = nullptr;
  bench.driver.begin_up();
  bench.driver.poll();
  const auto come_alive = [&](unsigned cpu) {
    bench.machine.ap_moves(cpu, State::kClaimed);
    bench.machine.ap_moves(cpu, State::kAlive);
  };
  come_alive(1);
  come_alive(2);
  bench.driver.poll();
  EXPECT_EQ(bench.machine.seen(1).state, State::kStarting);
  EXPECT_EQ(bench.machine.seen(2).state, State::kAlive) << "waits at the gate";
  bench.machine.ap_moves(1, State::kStarted); // found in one look: who leaves, and who has just come
  come_alive(3);
  bench.driver.poll();
  EXPECT_EQ(bench.machine.seen(2).state, State::kStarting);
  EXPECT_EQ(bench.machine.seen(3).state, State::kAlive);
}

TEST(Gates, TakeHintsForNoMoreThanHints) {
  Gates bench(6, {Section::kStarting, Section::kOnline});
  bench.machine.habit = [&](unsigned, std::uint32_t) {
    for (unsigned cpu = 1; cpu < 6; ++cpu)
      bench.machine.hint(cpu);
    return Habit{};
  };
  static_cast<void>(bench.run());
  static_cast<void>(bench.run_down());
  EXPECT_EQ(bench.count(State::kDead), 5U);
  EXPECT_FALSE(bench.machine.was_logged(EventKind::kCorrupt));
  EXPECT_EQ(crowd_of(bench.machine).most.at(Section::kOnline), 1U);
}

} // namespace
