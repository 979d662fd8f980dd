// The driver, whole, over APs with habits: who is let go on when, and who is failed for what.
#include "scripted_machine.hpp"

namespace {

using namespace reveille::unit;
using reveille::abi::Strategy;

constexpr Strategy kStrategies[] = {Strategy::kSerial, Strategy::kSplit, Strategy::kParallel};

Habit lively(unsigned, std::uint32_t) { return {}; }

TEST(Driver, WithNobodyToBringUpDoesNothing) {
  for (const unsigned cpus : {0U, 1U}) {
    Bench bench(quick(cpus));
    EXPECT_TRUE(bench.driver.decided());
    EXPECT_EQ(bench.run(), 0U);
    EXPECT_TRUE(bench.machine.kicks.empty());
    EXPECT_EQ(bench.driver.deadline(), decltype(bench.driver)::kNever);
  }
}

TEST(Driver, BringsEverybodyUp) {
  for (const Strategy strategy : kStrategies)
    for (const unsigned cpus : {2U, 3U, 9U, 70U})
      for (const unsigned window : {0U, 1U, 4U}) {
        reveille::core::Settings settings = quick(cpus);
        settings.strategy = strategy;
        settings.window = window;
        Bench bench(settings);
        bench.machine.habit = lively;
        static_cast<void>(bench.run());
        EXPECT_EQ(bench.count(State::kActive), cpus - 1);
        EXPECT_EQ(bench.machine.kicks.size(), cpus - 1);
        EXPECT_EQ(bench.machine.logged(EventKind::kOnline).size(), cpus - 1);
        EXPECT_EQ(bench.driver.deadline(), decltype(bench.driver)::kNever) << "nobody's turn is left";
        EXPECT_FALSE(bench.machine.was_logged(EventKind::kFailed));
        EXPECT_FALSE(bench.machine.was_logged(EventKind::kTimeout));
      }
}

TEST(Driver, FailsOnlyThoseWhoFail) {
  for (const Strategy strategy : kStrategies) {
    reveille::core::Settings settings = quick(9);
    settings.strategy = strategy;
    Bench bench(settings);
    bench.machine.habit = [](unsigned cpu, std::uint32_t) {
      const State dies[] = {State::kDown, State::kKicked, State::kStarting, State::kDown, State::kActivating};
      return Habit{10, cpu < 5 ? dies[cpu] : State::kDown};
    };
    static_cast<void>(bench.run());
    for (const unsigned cpu : {3U, 5U, 6U, 7U, 8U})
      EXPECT_EQ(bench.machine.seen(cpu).state, State::kActive) << cpu;
    const auto failed = bench.machine.logged(EventKind::kFailed);
    ASSERT_EQ(failed.size(), 3U);
    for (const Record &record : failed) {
      const State states[] = {State::kDown, State::kKicked, State::kStarting, State::kDown,
                              State::kActivating};
      EXPECT_EQ(Word::from(record.a).state, states[record.cpu]) << "each is blamed for its own";
    }
  }
}

TEST(Driver, GivesEachTurnItsOwnFullTime) {
  // Each of the turns takes nearly all of its time; together they take many times as long.
  for (const Strategy strategy : kStrategies) {
    reveille::core::Settings settings = quick(5);
    settings.strategy = strategy;
    Bench bench(settings);
    bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{49}; };
    EXPECT_GT(bench.run(), 2 * settings.timeout);
    EXPECT_EQ(bench.count(State::kActive), 4U);
  }
}

TEST(Driver, FailsATurnThatIsTooLongByOneTick) {
  reveille::core::Settings settings = quick(2);
  Bench just(settings);
  just.machine.habit = [](unsigned, std::uint32_t) { return Habit{50}; }; // two moves to alive
  static_cast<void>(just.run());
  EXPECT_EQ(just.machine.seen(1).state, State::kActive) << "there when the time is up";
  Bench late(settings);
  late.machine.habit = [](unsigned, std::uint32_t) { return Habit{51}; };
  EXPECT_EQ(late.run(), settings.timeout);
  EXPECT_EQ(late.machine.seen(1).state, State::kAbandoned);
}

TEST(Driver, FailsNobodyForWaitingForAnother) {
  // In split, all others wait at the gate while one after the other takes its time.
  reveille::core::Settings settings = quick(9);
  settings.strategy = Strategy::kSplit;
  Bench bench(settings);
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{45}; };
  EXPECT_GT(bench.run(), 10 * settings.timeout);
  EXPECT_EQ(bench.count(State::kActive), 8U);
}

TEST(Driver, FindsThoseWhoCameWhileItWasHeld) {
  Bench bench(quick(6));
  bench.machine.habit = lively;
  bench.machine.before_kick = [&](unsigned cpu) {
    if (cpu == 5) { // the CP is held for ten turns; meanwhile the others arrive
      for (unsigned other = 1; other < 5; ++other) {
        if (bench.machine.seen(other).state == State::kKicked)
          bench.machine.ap_moves(other, State::kClaimed);
        if (bench.machine.seen(other).state == State::kClaimed)
          bench.machine.ap_moves(other, State::kAlive);
      }
      bench.machine.time += 1000;
    }
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive), 5U);
}

TEST(Driver, FindsAnArrivalWithoutAHint) {
  // The AP died between its swap and its raise, or its hint was lost: the end of its turn finds it.
  Bench bench(quick(2));
  bench.driver.begin_up();
  bench.driver.poll();
  bench.machine.word(1) = Word{1, State::kAlive, 0}.bits();
  bench.machine.time = bench.driver.deadline();
  bench.driver.poll();
  EXPECT_EQ(bench.machine.seen(1).state, State::kStarting);
  EXPECT_EQ(bench.driver.deadline(), bench.machine.time + bench.settings.timeout);
}

TEST(Driver, TakesHintsAtAnyTimeFromAnybody) {
  Bench bench(quick(4));
  bench.machine.habit = [&](unsigned, std::uint32_t) {
    for (unsigned cpu = 0; cpu < ScriptedMachine::kMaxCpus; ++cpu)
      bench.machine.hint(cpu); // also of CPUs that are not there, and of CPU 0
    return Habit{};
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive), 3U);
  EXPECT_EQ(bench.machine.kicks.size(), 3U);
}

TEST(Driver, DoesNotProlongATurnForAHint) {
  Bench bench(quick(2));
  bench.driver.begin_up();
  bench.driver.poll();
  const std::uint64_t deadline = bench.driver.deadline();
  bench.machine.ap_moves(1, State::kClaimed);
  bench.machine.time += 50;
  bench.driver.poll();
  EXPECT_EQ(bench.driver.deadline(), deadline);
}

TEST(Driver, LetsAnybodyAtTheGateInOnceDespiteHints) {
  reveille::core::Settings settings = quick(3);
  settings.strategy = Strategy::kSplit;
  Bench bench(settings);
  bench.driver.begin_up();
  bench.driver.poll();
  for (const unsigned cpu : {1U, 2U}) {
    bench.machine.ap_moves(cpu, State::kClaimed);
    bench.machine.ap_moves(cpu, State::kAlive);
  }
  bench.driver.poll();
  EXPECT_EQ(bench.machine.seen(1).state, State::kStarting);
  EXPECT_EQ(bench.machine.seen(2).state, State::kAlive) << "waits at the gate";
  for (int i = 0; i < 3; ++i) {
    bench.machine.hint(2);
    bench.machine.time += settings.timeout / 4;
    bench.driver.poll();
    EXPECT_EQ(bench.machine.seen(2).state, State::kAlive);
  }
  bench.machine.time += settings.timeout; // the first is given up, the second goes in
  bench.driver.poll();
  EXPECT_EQ(bench.machine.seen(1).state, State::kAbandoned);
  EXPECT_EQ(bench.machine.seen(2).state, State::kStarting);
  for (int moves = 0; moves < 5 && !bench.driver.decided(); ++moves) {
    bench.machine.ap_moves(2, next_of(bench.machine.seen(2).state));
    bench.driver.poll();
  }
  EXPECT_EQ(bench.machine.seen(2).state, State::kActive);
  EXPECT_FALSE(bench.machine.was_logged(EventKind::kCorrupt)) << "nobody is let in twice";
}

TEST(Driver, KeepsTheEarliestDeadlineInFront) {
  Bench bench(quick(4));
  std::vector<std::uint64_t> kicked_at;
  bench.machine.before_kick = [&](unsigned) {
    bench.machine.time += 7;
    kicked_at.push_back(bench.machine.time);
  };
  bench.driver.begin_up();
  bench.driver.poll();
  EXPECT_EQ(bench.driver.deadline(), kicked_at[0] + 100);
  bench.machine.ap_moves(1, State::kClaimed);
  bench.machine.ap_moves(1, State::kAlive);
  bench.machine.time += 10;
  bench.driver.poll(); // 1 has a fresh turn, and 2 is now the first to be over
  EXPECT_EQ(bench.driver.deadline(), kicked_at[1] + 100);
  bench.machine.time = bench.driver.deadline() - 1;
  bench.driver.poll();
  EXPECT_EQ(bench.machine.seen(2).state, State::kKicked) << "a tick is left";
  bench.machine.time = bench.driver.deadline();
  bench.driver.poll();
  EXPECT_EQ(bench.machine.seen(2).state, State::kAbandoned);
  EXPECT_EQ(bench.machine.seen(3).state, State::kKicked) << "its time is not up";
  EXPECT_EQ(bench.driver.deadline(), kicked_at[2] + 100);
}

TEST(Driver, TrustsNoInterruptOfACpuThatItMayHaveStopped) {
  // It may have been stopped between its bit in the map and the interrupt that only it would send.
  Bench bench(quick(4));
  bench.settings.attempts = 2;
  bench.driver.begin_up();
  bench.driver.poll();
  const std::uint64_t kicked_at = bench.machine.time;
  EXPECT_EQ(bench.driver.deadline(), kicked_at + 100) << "nobody has been stopped yet";
  for (const unsigned cpu : {2U, 3U})
    bench.machine.ap_moves(cpu, State::kClaimed);
  bench.machine.time += 60;
  for (const unsigned cpu : {2U, 3U})
    bench.machine.ap_moves(cpu, State::kAlive);
  bench.driver.poll(); // turns until 160
  bench.machine.time = kicked_at + 100;
  bench.driver.poll(); // 1 is given up, and kicked again
  ASSERT_EQ(bench.machine.seen(1), (Word{2, State::kKicked, 0}));
  for (const std::uint64_t later : {0U, 25U, 59U}) {
    bench.machine.time = kicked_at + 100 + later;
    EXPECT_EQ(bench.driver.deadline(),
              std::min(bench.machine.time + bench.settings.recheck, kicked_at + 160));
  }
  for (const unsigned cpu : {2U, 3U})
    bench.machine.ap_moves(cpu, State::kStarted);
  bench.driver.poll();
  EXPECT_EQ(bench.driver.deadline(), bench.machine.time + bench.settings.recheck);
  bench.machine.time = kicked_at + 200;
  bench.machine.ap_moves(1, State::kClaimed);
  bench.machine.ap_moves(1, State::kAlive);
  bench.driver.poll();
  EXPECT_EQ(bench.driver.deadline(), kicked_at + 259) << "after the time of a turn all have come to rest";
}

TEST(Driver, LetsAStopSettleBeforeTheNextKick) {
  Bench bench(quick(3));
  bench.settings.attempts = 2;
  bench.settings.rest = 30;
  bench.driver.begin_up();
  bench.driver.poll();
  const std::uint64_t kicked_at = bench.machine.time;
  bench.machine.time = kicked_at + 100;
  bench.driver.poll();
  for (const unsigned cpu : {1U, 2U})
    ASSERT_EQ(bench.machine.seen(cpu).state, State::kAbandoned);
  bench.machine.time += 29;
  bench.driver.poll();
  EXPECT_EQ(bench.machine.seen(1).state, State::kAbandoned) << "a tick is left";
  bench.machine.time += 1;
  bench.driver.poll();
  for (const unsigned cpu : {1U, 2U}) // they have rested at the same time
    EXPECT_EQ(bench.machine.seen(cpu), (Word{2, State::kKicked, 0}));
  EXPECT_FALSE(bench.driver.decided());
}

TEST(Driver, IsWokenWhenARestIsOver) {
  Bench bench(quick(2));
  bench.settings.attempts = 2;
  bench.settings.rest = 30;
  bench.settings.recheck = 1000;
  bench.driver.begin_up();
  bench.driver.poll();
  bench.machine.time += 100;
  bench.driver.poll();
  EXPECT_EQ(bench.driver.deadline(), bench.machine.time + 30);
}

TEST(Driver, KicksAgainAtOnceWhomItHasNotStopped) {
  reveille::core::Settings settings = quick(2);
  settings.stop = reveille::abi::Stop::kNone;
  settings.attempts = 2;
  settings.rest = 30;
  Bench bench(settings);
  bench.driver.begin_up();
  bench.driver.poll();
  bench.machine.time += 100;
  bench.driver.poll();
  EXPECT_EQ(bench.machine.seen(1), (Word{2, State::kKicked, 0}));
}

TEST(Driver, ServesThoseWhoComeLateAfterTheEnd) {
  reveille::core::Settings settings = quick(2);
  settings.stop = reveille::abi::Stop::kNone;
  Bench bench(settings);
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{10, State::kOnlining}; };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.seats[1].control.quarantined(), 1U);
  bench.machine.ap_moves(1, State::kParked);
  bench.driver.poll();
  EXPECT_EQ(bench.seats[1].control.quarantined(), 0U);
  EXPECT_EQ(bench.machine.freed.size(), 1U);
}

TEST(Driver, RetriesUpToTheAttemptsAllowed) {
  for (const unsigned attempts : {1U, 2U, 5U}) {
    reveille::core::Settings settings = quick(3);
    settings.attempts = attempts;
    Bench bench(settings);
    bench.machine.habit = [](unsigned cpu, std::uint32_t) {
      return Habit{10, cpu == 1 ? State::kClaimed : State::kDown};
    };
    EXPECT_EQ(bench.run(), attempts * settings.timeout);
    EXPECT_EQ(bench.seats[1].control.attempts_made(), attempts);
    EXPECT_EQ(bench.seats[2].control.attempts_made(), 1U);
    EXPECT_EQ(bench.machine.logged(EventKind::kFailed).size(), 1U);
    EXPECT_EQ(bench.machine.last(EventKind::kKick).a, attempts) << "the ordinal within the cycle";
  }
}

TEST(Driver, ASecondAttemptSucceeds) {
  for (const Strategy strategy : kStrategies) {
    reveille::core::Settings settings = quick(4);
    settings.strategy = strategy;
    settings.attempts = 2;
    Bench bench(settings);
    bench.machine.habit = [](unsigned, std::uint32_t attempt) {
      return Habit{10, attempt == 1 ? State::kSyncing : State::kDown};
    };
    static_cast<void>(bench.run());
    EXPECT_EQ(bench.count(State::kActive), 3U);
    EXPECT_EQ(bench.machine.freed.size(), 3U) << "of the first attempts";
  }
}

TEST(Driver, AFailedStepIsRetriedToo) {
  for (const Section section : {Section::kStarting, Section::kOnline}) {
    reveille::core::Settings settings = quick(3);
    settings.attempts = 2;
    Bench bench(settings);
    bench.machine.habit = [section](unsigned cpu, std::uint32_t attempt) {
      return Habit{10, State::kDown, cpu == 1 && attempt == 1 ? section : Section::kNone, 1};
    };
    static_cast<void>(bench.run());
    EXPECT_EQ(bench.count(State::kActive), 2U);
    EXPECT_EQ(bench.machine.seen(1).attempt, 2U);
    EXPECT_FALSE(bench.machine.was_logged(EventKind::kTimeout));
  }
}

TEST(Driver, DoesNotRetryWhatIsHopeless) {
  reveille::core::Settings settings = quick(3);
  settings.attempts = 5;
  Bench bench(settings);
  bench.machine.habit = lively;
  bench.machine.before_kick = [&](unsigned cpu) {
    if (cpu == 1)
      bench.machine.word(1) = Word{3, State::kIdle, 0}.bits();
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.seats[1].control.attempts_made(), 1U);
  EXPECT_EQ(bench.machine.seen(2).state, State::kActive);
}

} // namespace
