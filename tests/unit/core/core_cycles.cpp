// The driver through many cycles: up, down and up again, in every strategy that is CPU 0's alone.
#include "scripted_machine.hpp"

namespace {

using namespace reveille::unit;
using reveille::abi::Strategy;
using reveille::core::Registered;

constexpr Strategy kStrategies[] = {Strategy::kSerial, Strategy::kSplit, Strategy::kParallel};

struct Cycles : Bench {
  explicit Cycles(Strategy strategy, unsigned cpus, unsigned window = 0)
      : Bench([&] {
          reveille::core::Settings s = quick(cpus);
          s.strategy = strategy;
          s.window = window;
          return s;
        }()) {
    machine.habit = [](unsigned, std::uint32_t) { return Habit{}; };
  }
};

TEST(Cycles, LeaveNothingBehind) {
  for (const Strategy strategy : kStrategies) {
    Cycles bench(strategy, 8);
    for (std::uint32_t cycle = 1; cycle <= 100; ++cycle) {
      static_cast<void>(bench.run());
      EXPECT_EQ(bench.count(State::kActive), 7U);
      EXPECT_EQ(bench.machine.cycle(7), cycle);
      EXPECT_EQ(bench.machine.ordinal(7), 1U);
      EXPECT_EQ(bench.machine.last(EventKind::kCycle).a, cycle);
      static_cast<void>(bench.run_down());
      EXPECT_EQ(bench.count(State::kDead), 7U);
      EXPECT_EQ(bench.machine.freed.size(), 7U * cycle) << "every area of every attempt";
      bench.machine.time += bench.settings.timeout; // for which it is careful
      EXPECT_EQ(bench.driver.deadline(), decltype(bench.driver)::kNever) << "nobody's turn is left";
      EXPECT_TRUE(bench.driver.decided());
    }
    for (unsigned cpu = 1; cpu < 8; ++cpu)
      EXPECT_EQ(bench.machine.seen(cpu), (Word{100, State::kDead, 0})) << "an attempt for each cycle";
    EXPECT_FALSE(bench.machine.was_logged(EventKind::kFailed));
    EXPECT_FALSE(bench.machine.was_logged(EventKind::kCorrupt));
    EXPECT_FALSE(bench.machine.was_logged(EventKind::kTimeout));
    EXPECT_EQ(bench.machine.logged(EventKind::kOffline).size(), 700U);
    bench.machine.records.clear();
  }
}

TEST(Cycles, WithNobodyUpHaveNobodyToTakeDown) {
  Cycles bench(Strategy::kParallel, 4);
  EXPECT_EQ(bench.run_down(), 0U) << "nobody is up yet";
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{10, State::kKicked}; };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.run_down(), 0U) << "nobody came up";
  EXPECT_FALSE(bench.machine.was_logged(EventKind::kTakeDown));
}

TEST(Cycles, DoWithoutThoseWhoFailed) {
  for (const Strategy strategy : kStrategies) {
    Cycles bench(strategy, 8);
    bench.settings.attempts = 2;
    bench.machine.habit = [](unsigned cpu, std::uint32_t attempt) {
      if (cpu == 2)
        return Habit{10, State::kClaimed};
      if (cpu == 5 && attempt == 2)
        return Habit{10, State::kUndoOnline};
      if (cpu == 7 && attempt == 1)
        return Habit{10, State::kUndoStarting};
      return Habit{};
    };
    for (int cycle = 1; cycle <= 4; ++cycle) {
      static_cast<void>(bench.run());
      static_cast<void>(bench.run_down());
    }
    EXPECT_EQ(bench.machine.seen(2).attempt, 2U) << "tried twice, in the first cycle alone";
    EXPECT_EQ(bench.machine.seen(5), (Word{2, State::kAbandoned, 0}))
        << "and is not tried again on the way down";
    EXPECT_EQ(bench.machine.seen(7), (Word{1, State::kAbandoned, 0}));
    for (const unsigned cpu : {1U, 3U, 4U, 6U})
      EXPECT_EQ(bench.machine.seen(cpu), (Word{4, State::kDead, 0})) << cpu;
    std::map<unsigned, State> failed;
    for (const Record &record : bench.machine.logged(EventKind::kFailed))
      EXPECT_TRUE(failed.emplace(record.cpu, Word::from(record.a).state).second) << "decided twice";
    EXPECT_EQ(failed, (std::map<unsigned, State>{
                          {2, State::kClaimed}, {5, State::kUndoOnline}, {7, State::kUndoStarting}}));
  }
}

TEST(Cycles, CountTheAttemptsOfEachAnew) {
  Cycles bench(Strategy::kParallel, 3);
  bench.settings.attempts = 2;
  bench.machine.habit = [](unsigned, std::uint32_t attempt) {
    return Habit{10, attempt % 2 == 1 ? State::kStarting : State::kDown};
  };
  for (std::uint32_t cycle = 1; cycle <= 3; ++cycle) {
    static_cast<void>(bench.run());
    EXPECT_EQ(bench.count(State::kActive), 2U);
    EXPECT_EQ(bench.machine.ordinal(1), 2U);
    static_cast<void>(bench.run_down());
  }
  EXPECT_FALSE(bench.machine.was_logged(EventKind::kFailed));
}

/// The most that were on their way down at once.
unsigned most_going_down(const ScriptedMachine &machine) {
  unsigned now = 0, most = 0;
  for (const Record &record : machine.records) {
    now += record.kind == EventKind::kTakeDown;
    now -= record.kind == EventKind::kOffline || record.kind == EventKind::kFailed;
    most = std::max(most, now);
  }
  EXPECT_EQ(now, 0U);
  return most;
}

TEST(Cycles, TakeDownAsManyAsTheStrategyFinishes) {
  const auto most = [](Strategy strategy, unsigned window) {
    Cycles bench(strategy, 8, window);
    static_cast<void>(bench.run());
    static_cast<void>(bench.run_down());
    EXPECT_EQ(bench.count(State::kDead), 7U);
    return most_going_down(bench.machine);
  };
  EXPECT_EQ(most(Strategy::kSerial, 0), 1U);
  EXPECT_EQ(most(Strategy::kSplit, 0), 1U);
  EXPECT_EQ(most(Strategy::kParallel, 0), 7U);
  EXPECT_EQ(most(Strategy::kParallel, 3), 3U) << "the window is for both ways";
}

TEST(Cycles, TakeTheLastDownFirst) {
  Cycles bench(Strategy::kSerial, 5);
  static_cast<void>(bench.run());
  static_cast<void>(bench.run_down());
  std::vector<unsigned> order;
  for (const Record &record : bench.machine.logged(EventKind::kTakeDown))
    order.push_back(record.cpu);
  EXPECT_EQ(order, (std::vector<unsigned>{4, 3, 2, 1}));
}

TEST(DeadCost, OfTheWayDownIsOneTimeoutWhereAllGoAtOnceAndElseOneEach) {
  for (const Strategy strategy : kStrategies) {
    Cycles bench(strategy, 8);
    bench.machine.habit = [](unsigned cpu, std::uint32_t) {
      return Habit{1, cpu < 4 ? State::kUndoOnline : State::kDown};
    };
    static_cast<void>(bench.run());
    EXPECT_EQ(bench.run_down() / bench.settings.timeout, strategy == Strategy::kParallel ? 1U : 3U);
  }
}

TEST(Register, IsFrozenWhileAnybodyIsInFlight) {
  for (const Strategy strategy : kStrategies) {
    Cycles bench(strategy, 4);
    unsigned tries = 0;
    const auto try_to_register = [&] {
      ++tries;
      EXPECT_EQ(bench.machine.table.add(Section::kOnline, {"in-flight"}, 0), Registered::kFrozen);
    };
    bench.machine.before_kick = [&](unsigned) { try_to_register(); };
    bench.machine.start = [&](Section, unsigned, unsigned, std::uint32_t) {
      try_to_register();
      return 0;
    };
    bench.machine.habit = [&](unsigned, std::uint32_t) {
      try_to_register(); // somebody has been kicked, or let go on
      return Habit{};
    };
    EXPECT_FALSE(bench.machine.table.is_frozen());
    static_cast<void>(bench.run());
    const unsigned up = tries;
    EXPECT_GT(up, 3U * 6);
    EXPECT_EQ(bench.machine.table.add(Section::kOnline, {"while-up"}, 0), Registered::kYes);
    static_cast<void>(bench.run_down());
    EXPECT_GT(tries, up + 3);
    EXPECT_EQ(bench.machine.table.add(Section::kOnline, {"while-down"}, 0), Registered::kYes);
  }
}

TEST(Register, IsOpenAgainWhenTheLastHasFailed) {
  Cycles bench(Strategy::kParallel, 4);
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{10, State::kClaimed}; };
  static_cast<void>(bench.run());
  EXPECT_FALSE(bench.machine.table.is_frozen());
}

} // namespace
