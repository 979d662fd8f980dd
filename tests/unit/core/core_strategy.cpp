// The strategies and the window: how many may be where at once, seen at every move.
#include "scripted_machine.hpp"

#include <algorithm>

namespace {

using namespace reveille::unit;
using reveille::abi::Strategy;

/// The most that were in flight and finishing at once, from the log of the CP.
struct Most {
  unsigned in_flight = 0;
  unsigned finishing = 0;
  bool released_before_last_kick = false;
};

Most most_of(const ScriptedMachine &machine, unsigned kicks_expected) {
  Most most;
  unsigned in_flight = 0, finishing = 0, kicks = 0;
  std::vector<bool> flying(ScriptedMachine::kMaxCpus), released(ScriptedMachine::kMaxCpus);
  for (const Record &record : machine.records) {
    if (record.kind == EventKind::kKick && !flying[record.cpu]) {
      flying[record.cpu] = true;
      ++in_flight;
      ++kicks;
    }
    if (record.kind == EventKind::kMoved && Word::from(record.b).state == State::kStarting) {
      released[record.cpu] = true;
      ++finishing;
      most.released_before_last_kick |= kicks < kicks_expected;
    }
    const bool decided = record.kind == EventKind::kOnline || record.kind == EventKind::kFailed;
    const bool over = decided || record.kind == EventKind::kTimeout;
    if (over && released[record.cpu]) {
      released[record.cpu] = false;
      --finishing;
    }
    if (decided) {
      flying[record.cpu] = false;
      --in_flight;
    }
    most.in_flight = std::max(most.in_flight, in_flight);
    most.finishing = std::max(most.finishing, finishing);
  }
  EXPECT_EQ(in_flight, 0U);
  EXPECT_EQ(finishing, 0U);
  return most;
}

Most run(Strategy strategy, unsigned window, unsigned cpus, unsigned attempts = 1,
         unsigned dead_every = 1000) {
  reveille::core::Settings settings = quick(cpus);
  settings.strategy = strategy;
  settings.window = window;
  settings.attempts = attempts;
  Bench bench(settings);
  bench.machine.habit = [&](unsigned cpu, std::uint32_t attempt) {
    const State states[] = {State::kKicked, State::kStarting, State::kIdling};
    return Habit{3 + cpu % 5, cpu % dead_every == 0 && attempt == 1 ? states[cpu % 3] : State::kDown};
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive) + bench.machine.logged(EventKind::kFailed).size(), cpus - 1);
  return most_of(bench.machine, cpus - 1);
}

TEST(Strategy, SerialHasOneInFlight) {
  for (const unsigned window : {0U, 4U}) {
    const Most most = run(Strategy::kSerial, window, 12);
    EXPECT_EQ(most.in_flight, 1U);
    EXPECT_EQ(most.finishing, 1U);
  }
}

TEST(Strategy, SplitKicksEverybodyThenFinishesOneByOne) {
  const Most most = run(Strategy::kSplit, 0, 12);
  EXPECT_EQ(most.in_flight, 11U);
  EXPECT_EQ(most.finishing, 1U);
  EXPECT_FALSE(most.released_before_last_kick);
}

TEST(Strategy, ParallelFinishesManyAtOnce) {
  const Most most = run(Strategy::kParallel, 0, 12);
  EXPECT_EQ(most.in_flight, 11U);
  EXPECT_GT(most.finishing, 4U);
}

TEST(Window, BoundsHowManyAreInFlight) {
  for (const unsigned window : {1U, 2U, 4U, 11U, 12U}) {
    EXPECT_EQ(run(Strategy::kSplit, window, 12).in_flight, std::min(window, 11U));
    EXPECT_EQ(run(Strategy::kParallel, window, 12).in_flight, std::min(window, 11U));
    EXPECT_LE(run(Strategy::kParallel, window, 12).finishing, window);
    EXPECT_EQ(run(Strategy::kSplit, window, 12).finishing, 1U);
  }
}

TEST(Window, ThatOpensInSplitIsForAKickBeforeARelease) {
  reveille::core::Settings settings = quick(4);
  settings.strategy = Strategy::kSplit;
  settings.window = 2;
  Bench bench(settings);
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{}; };
  static_cast<void>(bench.run());
  std::vector<std::pair<EventKind, unsigned>> order;
  for (const Record &record : bench.machine.records)
    if (record.kind == EventKind::kKick ||
        (record.kind == EventKind::kMoved && Word::from(record.b).state == State::kStarting))
      order.emplace_back(record.kind, record.cpu);
  const std::vector<std::pair<EventKind, unsigned>> expected = {
      {EventKind::kKick, 1}, {EventKind::kKick, 2},  {EventKind::kMoved, 1},
      {EventKind::kKick, 3}, {EventKind::kMoved, 2}, {EventKind::kMoved, 3}};
  EXPECT_EQ(order, expected);
}

TEST(Window, HoldsWithDeadApsAndRetries) {
  for (const Strategy strategy : {Strategy::kSerial, Strategy::kSplit, Strategy::kParallel})
    for (const unsigned attempts : {1U, 3U}) {
      const Most most = run(strategy, 4, 30, attempts, 3);
      EXPECT_LE(most.in_flight, strategy == Strategy::kSerial ? 1U : 4U);
      EXPECT_LE(most.finishing, strategy == Strategy::kParallel ? 4U : 1U);
    }
}

} // namespace
