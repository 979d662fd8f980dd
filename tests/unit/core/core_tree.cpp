// Tree: CPUs that are up bring up others. The control CPUs run the real code, in virtual time.
#include "tree_bench.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace {

using namespace reveille::unit;

TEST(Tree, BringsEverybodyUpAndDownInManyCycles) {
  for (const unsigned cpus : {2U, 3U, 9U, 70U}) {
    Tree bench(cpus);
    for (unsigned cycle = 1; cycle <= 5; ++cycle) {
      static_cast<void>(bench.run());
      EXPECT_EQ(bench.count(State::kActive), cpus - 1);
      EXPECT_EQ(bench.machine.kicks.size(), cycle * (cpus - 1));
      bench.machine.time += bench.settings.timeout; // for which it is careful
      EXPECT_EQ(bench.driver.deadline(), decltype(bench.driver)::kNever) << "no turn, and no lease";
      static_cast<void>(bench.run_down());
      EXPECT_EQ(bench.count(State::kDead), cpus - 1);
      EXPECT_EQ(bench.machine.freed.size(), cycle * (cpus - 1));
    }
    EXPECT_EQ(bench.logged(EventKind::kReturned), bench.logged(EventKind::kDelegated));
    EXPECT_EQ(bench.logged(EventKind::kFenced) + bench.logged(EventKind::kFailed), 0U);
    EXPECT_FALSE(bench.machine.table.is_frozen());
  }
}

TEST(Tree, GrowsByLevels) {
  Tree bench(32);
  static_cast<void>(bench.run());
  std::set<unsigned> controls;
  for (const auto &[cpu, by] : bench.kicked_by())
    controls.insert(by);
  EXPECT_GT(controls.size(), 8U) << "many CPUs bring up others";
  // Each level doubles those that are up, as far as one CPU's way up takes one unit of time.
  std::uint64_t first_up = 0, last_up = 0;
  for (const Record &record : bench.machine.logged(EventKind::kOnline)) {
    first_up = first_up == 0 ? record.time : first_up;
    last_up = record.time;
  }
  const std::uint64_t unit = first_up - 1000;
  EXPECT_LE(last_up - 1000, 6 * unit + 40);
}

TEST(Tree, LeavesAControlCpuOneApAtATime) {
  Tree bench(40);
  static_cast<void>(bench.run());
  std::set<std::uint64_t> busy;
  for (const Record &record : bench.machine.records) {
    if (record.kind == EventKind::kDelegated) {
      EXPECT_TRUE(busy.insert(record.a).second);
    }
    if (record.kind == EventKind::kReturned) {
      EXPECT_EQ(busy.erase(record.a), 1U);
    }
  }
  EXPECT_TRUE(busy.empty());
}

TEST(Tree, SharesOneWindow) {
  for (const unsigned window : {1U, 3U, 5U}) {
    Tree bench(30, window);
    static_cast<void>(bench.run());
    EXPECT_EQ(bench.count(State::kActive), 29U);
    unsigned in_flight = 0, most = 0;
    std::set<unsigned> flying;
    for (const Record &record : bench.machine.records) {
      const bool own = record.kind == EventKind::kKick && record.writer == 0;
      if ((record.kind == EventKind::kDelegated || own) && flying.insert(record.cpu).second)
        most = std::max(most, ++in_flight);
      if (record.kind == EventKind::kOnline && flying.erase(record.cpu) == 1)
        --in_flight;
    }
    EXPECT_LE(most, window);
    EXPECT_EQ(most, window) << "and is made use of";
  }
}

TEST(Tree, KicksSiblingsAfterTheirPrimary) {
  Tree bench(33);
  bench.settings.primary_threads_first = true;
  for (unsigned cpu = 0; cpu < 33; ++cpu)
    bench.machine.set_primary(cpu, cpu - cpu % 4);
  for (int cycle = 0; cycle < 2; ++cycle) {
    static_cast<void>(bench.run());
    EXPECT_EQ(bench.count(State::kActive), 32U);
    static_cast<void>(bench.run_down());
  }
  std::set<unsigned> up{0};
  for (const Record &record : bench.machine.records) {
    if (record.kind == EventKind::kOnline)
      up.insert(record.cpu);
    if (record.kind == EventKind::kOffline)
      up.erase(record.cpu);
    if (record.kind == EventKind::kKick) {
      EXPECT_TRUE(record.cpu % 4 == 0 || up.count(record.cpu - record.cpu % 4) == 1) << record.cpu;
    }
  }
}

TEST(Tree, DoesExclusiveSectionsOneAtATimeOnCpu0) {
  for (const Section exclusive : {Section::kStarting, Section::kOnline}) {
    Tree bench(20);
    bench.machine.exclusive[{exclusive, 0}] = true;
    static_cast<void>(bench.run());
    EXPECT_EQ(bench.count(State::kActive), 19U);
    std::set<unsigned> inside;
    unsigned most_elsewhere = 0;
    std::set<unsigned> elsewhere;
    for (const auto &[cpu, state] : bench.machine.moves) {
      inside.erase(cpu);
      elsewhere.erase(cpu);
      const Section section = reveille::protocol::section_of(state);
      if (section == exclusive)
        inside.insert(cpu);
      else if (section != Section::kNone)
        elsewhere.insert(cpu);
      EXPECT_LE(inside.size(), 1U);
      most_elsewhere = std::max(most_elsewhere, static_cast<unsigned>(elsewhere.size()));
    }
    EXPECT_GT(bench.logged(EventKind::kDelegated), 0U);
    if (exclusive == Section::kOnline) {
      EXPECT_GT(most_elsewhere, 1U) << "the other section is open to all";
    }
  }
}

/// Who has run PREPARE steps, and who has undone them.
std::set<unsigned> prepared_by(const ScriptedMachine &machine) {
  std::set<unsigned> by;
  for (const Record &record : machine.records)
    if ((record.kind == EventKind::kStepEnter || record.kind == EventKind::kUndoEnter) &&
        record.b == static_cast<std::uint64_t>(Section::kPrepare))
      by.insert(record.writer);
  return by;
}

TEST(Tree, PreparesOnTheControlCpuUnlessThatIsExclusive) {
  for (const bool exclusive : {false, true}) {
    Tree bench(20);
    bench.settings.attempts = 2;
    if (exclusive)
      bench.machine.exclusive[{Section::kPrepare, 1}] = true;
    bench.machine.habit = [](unsigned cpu, std::uint32_t attempt) { // undone in all sorts of ways
      const State dies[] = {State::kKicked, State::kClaimed, State::kDown, State::kStarting};
      const Section fails = cpu % 8 == 6 && attempt == 1 ? Section::kOnline : Section::kNone;
      return Habit{10, attempt == 1 && cpu % 2 == 1 ? dies[cpu / 2 % 4] : State::kDown, fails, 1};
    };
    static_cast<void>(bench.run());
    EXPECT_EQ(bench.count(State::kActive), 19U);
    EXPECT_EQ(prepared_by(bench.machine).size() == 1, exclusive);
    EXPECT_EQ(prepared_by(bench.machine).count(0), 1U);
    for (unsigned cpu = 1; cpu < 20; ++cpu)
      EXPECT_EQ(bench.seats[cpu].control.quarantined(), 0U) << "what a control CPU must leave is finished";
  }
}

TEST(Tree, PreparesExclusivelyAndFailsOnCpu0) {
  Tree bench(9);
  bench.machine.exclusive[{Section::kPrepare, 0}] = true;
  bench.machine.start = [](Section section, unsigned, unsigned cpu, std::uint32_t) {
    return section == Section::kPrepare && cpu == 5 ? -12 : 0;
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive), 7U);
  EXPECT_EQ(bench.logged(EventKind::kFailed), 1U);
  EXPECT_EQ(bench.machine.freed.size(), 1U);
}

TEST(Tree, FailsOnlyThoseWhoFailAndRetriesThem) {
  Tree bench(17);
  bench.settings.attempts = 2;
  bench.machine.habit = [](unsigned cpu, std::uint32_t attempt) {
    if (cpu == 3)
      return Habit{10, State::kStarting};
    if (cpu == 11)
      return Habit{10, attempt == 1 ? State::kKicked : State::kDown};
    return Habit{10, State::kDown, cpu == 6 && attempt == 1 ? Section::kOnline : Section::kNone, 1};
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive), 15U);
  EXPECT_EQ(bench.logged(EventKind::kFailed), 1U);
  EXPECT_EQ(bench.machine.last(EventKind::kFailed).cpu, 3U);
  EXPECT_EQ(bench.seats[3].control.attempts_made(), 2U);
  EXPECT_EQ(bench.logged(EventKind::kFenced), 0U) << "control CPUs that wait for the dead still work";
}

// --- what dead APs cost

/// In timeouts; the dead are the first, or the last.
std::uint64_t cost(unsigned dead, unsigned alive, bool dead_first, unsigned attempts = 1) {
  Tree bench(1 + dead + alive);
  bench.settings.attempts = attempts;
  bench.machine.habit = [&](unsigned cpu, std::uint32_t) {
    return Habit{1, (dead_first ? cpu <= dead : cpu > alive) ? State::kKicked : State::kDown};
  };
  const std::uint64_t took = bench.run();
  EXPECT_EQ(bench.count(State::kActive), alive);
  EXPECT_LE(took % bench.settings.timeout, 300U);
  return took / bench.settings.timeout;
}

TEST(DeadCost, InTreeIsOneTimeoutForEachLevel) {
  EXPECT_EQ(cost(0, 40, true), 0U);
  EXPECT_EQ(cost(1, 10, true), 1U);
  EXPECT_EQ(cost(3, 0, true), 2U) << "one, then two";
  EXPECT_EQ(cost(7, 0, true), 3U);
  EXPECT_EQ(cost(8, 0, true), 4U);
  EXPECT_EQ(cost(60, 9, true), 6U) << "not sixty";
  EXPECT_LE(cost(20, 20, false), 1U) << "as many as are up wait for them at the same time";
  EXPECT_EQ(cost(7, 2, true, 2), 5U) << "times the attempts, but the next are taken on meanwhile";
}

TEST(DeadCost, InTreeDoesNotDoubleForEachOfThoseWhoDieTogether) {
  // Four die in one round: that is one round, and CPU 0 takes on twice as many, not sixteen times.
  Tree bench(60);
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{1, State::kKicked}; };
  static_cast<void>(bench.run());
  std::map<std::uint64_t, unsigned> kicked_at;
  for (const Record &record : bench.machine.logged(EventKind::kKick))
    ++kicked_at[record.time];
  unsigned expected = 1;
  for (const auto &[time, kicks] : kicked_at) {
    EXPECT_EQ(kicks, std::min(expected, 59 - (expected - 1)));
    expected *= 2;
  }
}

TEST(DeadCost, InTreeIsTheSameForWordsThatGoBad) {
  Tree bench(8);
  bench.machine.habit = [&](unsigned cpu, std::uint32_t) {
    bench.machine.word(cpu) = 0xff0000;
    return Habit{1, State::kKicked};
  };
  EXPECT_EQ(bench.run() / bench.settings.timeout, 3U) << "one, two, then four";
  EXPECT_EQ(bench.logged(EventKind::kCorrupt), 7U);
}

} // namespace
