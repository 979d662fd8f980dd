// The first kick of all APs by one broadcast: when it may be, and in what order.
#include "scripted_machine.hpp"

namespace {

using namespace reveille::unit;
using reveille::abi::Strategy;

struct KickAll : testing::TestWithParam<Strategy> {
  static reveille::core::Settings settings(unsigned cpus) {
    reveille::core::Settings s = quick(cpus);
    s.strategy = GetParam();
    return s;
  }
};

bool all_up(Bench &bench) { return bench.count(State::kActive) == bench.settings.cpus - 1; }

TEST_P(KickAll, StartsAllByOneBroadcast) {
  Bench bench(settings(9));
  bench.machine.kicks_all = true;
  unsigned prepared = 0;
  bench.machine.start = [&](Section section, unsigned step, unsigned, std::uint32_t) {
    EXPECT_TRUE(section != Section::kPrepare || bench.machine.broadcasts.empty())
        << "all are ready before it";
    prepared += section == Section::kPrepare && step == 0 ? 1 : 0;
    return 0;
  };
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{3}; };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.machine.broadcasts, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(bench.machine.kicks.size(), 8U);
  EXPECT_EQ(prepared, 8U);
  EXPECT_TRUE(all_up(bench));
}

TEST_P(KickAll, GivesEachAWholeTurnBehindIt) {
  Bench bench(settings(4));
  bench.machine.kicks_all = true;
  bench.machine.start = [&](Section, unsigned, unsigned, std::uint32_t) {
    bench.machine.time += 40; // 3 of them are longer than a turn
    return 0;
  };
  bench.driver.begin_up();
  bench.driver.poll();
  EXPECT_EQ(bench.count(State::kKicked), 3U);
  EXPECT_EQ(bench.driver.deadline(), bench.machine.time + 100);
}

TEST_P(KickAll, LeavesOutNobodyWhoIsNotReady) {
  Bench bench(settings(5));
  bench.machine.kicks_all = true;
  bench.machine.start = [](Section section, unsigned, unsigned cpu, std::uint32_t) {
    return section == Section::kPrepare && cpu == 3 ? -5 : 0;
  };
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{3}; };
  static_cast<void>(bench.run());
  EXPECT_TRUE(bench.machine.broadcasts.empty()) << "it would start CPU 3";
  EXPECT_EQ(bench.machine.kicks.size(), 3U);
  EXPECT_EQ(bench.count(State::kActive), 3U);
}

TEST_P(KickAll, RetriesOneByOne) {
  reveille::core::Settings s = settings(5);
  s.attempts = 2;
  Bench bench(s);
  bench.machine.kicks_all = true;
  bench.machine.habit = [](unsigned cpu, std::uint32_t attempt) {
    return Habit{3, cpu == 2 && attempt == 1 ? State::kKicked : State::kDown};
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.machine.broadcasts.size(), 1U);
  EXPECT_EQ(bench.machine.kicks.back(), (std::pair<unsigned, std::uint32_t>(2, 2)));
  EXPECT_TRUE(all_up(bench));
}

INSTANTIATE_TEST_SUITE_P(Strategies, KickAll, testing::Values(Strategy::kSplit, Strategy::kParallel));

void expect_one_by_one(const reveille::core::Settings &settings, bool is_able = true) {
  Bench bench(settings);
  bench.machine.kicks_all = is_able;
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{3}; };
  static_cast<void>(bench.run());
  EXPECT_TRUE(bench.machine.broadcasts.empty());
  EXPECT_EQ(bench.machine.kicks.size(), settings.cpus - 1);
  EXPECT_TRUE(all_up(bench));
}

TEST(OneByOne, WhereABroadcastWouldStartOthers) { expect_one_by_one(quick(9), false); }

TEST(OneByOne, WhereNotAllMayBeInFlight) {
  reveille::core::Settings windowed = quick(9);
  windowed.window = 8;
  expect_one_by_one(windowed);
  for (const Strategy strategy : {Strategy::kSerial, Strategy::kTree}) {
    reveille::core::Settings settings = quick(9);
    settings.strategy = strategy;
    expect_one_by_one(settings);
  }
  reveille::core::Settings siblings = quick(9);
  siblings.primary_threads_first = true;
  expect_one_by_one(siblings);
}

TEST(OneByOne, InLaterCycles) {
  Bench bench(quick(4));
  bench.machine.kicks_all = true;
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{3}; };
  static_cast<void>(bench.run());
  bench.driver.take_down();
  bench.driver.bring_up();
  EXPECT_EQ(bench.machine.broadcasts.size(), 1U) << "whoever is down may be started by any SIPI";
  EXPECT_EQ(bench.machine.kicks.size(), 6U);
}

} // namespace
