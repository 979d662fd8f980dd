// What dead APs cost, in virtual time: as much as the strategy allows, and no more.
#include "scripted_machine.hpp"

namespace {

using namespace reveille::unit;
using reveille::abi::Strategy;

constexpr std::uint64_t kTimeout = 1000;

struct Case {
  Strategy strategy;
  unsigned window = 0;
  unsigned attempts = 1;
  unsigned dead_before_alive = 0; ///< CPUs 1.. never claim
  unsigned dead_later = 0;        ///< the next ones die in STARTING
  unsigned alive = 0;
};

/// In timeouts, rounded: what is alive costs next to nothing.
std::uint64_t cost(const Case &c) {
  reveille::core::Settings settings = quick(1 + c.dead_before_alive + c.dead_later + c.alive);
  settings.strategy = c.strategy;
  settings.window = c.window;
  settings.attempts = c.attempts;
  settings.timeout = kTimeout;
  Bench bench(settings);
  bench.machine.habit = [&](unsigned cpu, std::uint32_t) {
    if (cpu <= c.dead_before_alive)
      return Habit{1, State::kKicked};
    return Habit{1, cpu <= c.dead_before_alive + c.dead_later ? State::kStarting : State::kDown};
  };
  const std::uint64_t took = bench.run();
  EXPECT_EQ(bench.count(State::kActive), c.alive);
  EXPECT_EQ(bench.machine.logged(EventKind::kFailed).size(), c.dead_before_alive + c.dead_later);
  EXPECT_LE(took % kTimeout, 300U);
  return took / kTimeout;
}

TEST(DeadCost, OfNobodyIsNothing) {
  for (const Strategy strategy : {Strategy::kSerial, Strategy::kSplit, Strategy::kParallel})
    EXPECT_EQ(cost({.strategy = strategy, .alive = 9}), 0U);
}

TEST(DeadCost, InParallelIsOneTimeoutForAll) {
  EXPECT_EQ(cost({.strategy = Strategy::kParallel, .dead_before_alive = 19, .alive = 9}), 1U);
  EXPECT_EQ(cost({.strategy = Strategy::kParallel, .dead_before_alive = 10, .dead_later = 9, .alive = 9}),
            1U);
}

TEST(DeadCost, InParallelIsOnePerWindowful) {
  EXPECT_EQ(cost({.strategy = Strategy::kParallel, .window = 5, .dead_before_alive = 15}), 3U);
  EXPECT_EQ(cost({.strategy = Strategy::kParallel, .window = 4, .dead_before_alive = 9}), 3U);
}

TEST(DeadCost, InSplitIsOneForAllBeforeAliveAndOneForEachLater) {
  EXPECT_EQ(cost({.strategy = Strategy::kSplit, .dead_before_alive = 19, .alive = 9}), 1U);
  EXPECT_EQ(cost({.strategy = Strategy::kSplit, .dead_later = 3, .alive = 9}), 3U);
  EXPECT_EQ(cost({.strategy = Strategy::kSplit, .dead_before_alive = 19, .dead_later = 3, .alive = 9}), 3U)
      << "the ones before alive are over while the first of the others is waited for";
}

TEST(DeadCost, InSerialIsOneEach) {
  EXPECT_EQ(cost({.strategy = Strategy::kSerial, .dead_before_alive = 3, .dead_later = 4, .alive = 5}), 7U);
}

TEST(DeadCost, IsTimesTheAttempts) {
  EXPECT_EQ(cost({.strategy = Strategy::kParallel, .attempts = 3, .dead_before_alive = 19, .alive = 2}), 3U);
  EXPECT_EQ(cost({.strategy = Strategy::kSplit, .attempts = 2, .dead_before_alive = 19, .alive = 2}), 2U);
  EXPECT_EQ(cost({.strategy = Strategy::kSerial, .attempts = 2, .dead_before_alive = 3}), 6U);
}

TEST(DeadCost, OfManyIsNoScan) {
  // The CP looks at nobody whose turn has not come: as many waits as there is something to see.
  reveille::core::Settings settings = quick(61);
  Bench bench(settings);
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{1, State::kKicked}; };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.machine.waits, 1U);
}

} // namespace
