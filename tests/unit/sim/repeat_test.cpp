// One seed, one result; and what the figures of [sim] do.
#include "tests/unit/sim/runs.hpp"

#include "vmm/report/json.hpp"
#include "vmm/sim/latencies.hpp"

#include <stdexcept>

namespace reveille::vmm::sim {
namespace {

using abi::Strategy;

std::string json_of(const Scenario &s) {
  const Ran ran = run(s);
  return result_json(s, nullptr, ran.seen, ran.verdict);
}

TEST(Repeat, ASeedGivesTheSameBytes) {
  for (const Strategy strategy :
       {Strategy::kSerial, Strategy::kSplit, Strategy::kParallel, Strategy::kTree}) {
    Scenario s = scenario_of(50, strategy);
    s.bringup.attempts = 2;
    s.bringup.cycles = 2;
    FaultSpec spec;
    spec.cpus = {7, 8, 30};
    spec.at = {"started", GuestPlace{abi::Place::kStarted}};
    spec.action = Action::kStall;
    s.faults.push_back(spec);
    s.seed = 11;
    const std::string first = json_of(s);
    EXPECT_EQ(json_of(s), first);
    s.seed = 12;
    EXPECT_NE(json_of(s), first);
  }
}

TEST(Repeat, WithoutJitterTheSeedDoesNotMatter) {
  Scenario s = scenario_of(20);
  s.sim.jitter = 0;
  const Ran first = run(s);
  s.seed = 1;
  const Ran second = run(s);
  for (CpuIndex cpu = 0; cpu < 20; ++cpu)
    EXPECT_EQ(first.verdict.cpus[cpu].points.arrived, second.verdict.cpus[cpu].points.arrived);
}

TEST(Repeat, OneCpusTimesDoNotDependOnAnothers) {
  Scenario s = scenario_of(8);
  const Ran first = run(s);
  FaultSpec spec;
  spec.cpus = {2};
  spec.at = {"alive", GuestPlace{abi::Place::kAlive}};
  spec.action = Action::kDelay;
  spec.duration_ms = 50;
  s.faults.push_back(spec);
  const Ran second = run(s);
  for (const CpuIndex cpu : {1u, 3u, 7u}) { // from the kick to alive nobody else is asked
    const PointTimes &a = first.verdict.cpus[cpu].points;
    const PointTimes &b = second.verdict.cpus[cpu].points;
    EXPECT_NEAR(*a.arrived[0] - *a.kick, *b.arrived[0] - *b.kick, 0.001);
  }
}

TEST(Latencies, AreWithinTheirJitterAndDiffer) {
  Scenario s = scenario_of(1000);
  s.sim.jitter = 0.5;
  const Latencies latencies(s);
  Ns least = kNever;
  Ns most = 0;
  for (CpuIndex cpu = 1; cpu < 1000; ++cpu) {
    const Ns ns = latencies.to(cpu, abi::Place::kAlive, 1);
    least = std::min(least, ns);
    most = std::max(most, ns);
    EXPECT_EQ(ns, latencies.to(cpu, abi::Place::kAlive, 1));
  }
  EXPECT_GE(least, 50'000u);
  EXPECT_LT(least, 51'000u);
  EXPECT_LE(most, 150'000u);
  EXPECT_GT(most, 149'000u);
}

TEST(Latencies, OfOneCpuAndPlaceComeBeforeTheGeneralOnes) {
  Scenario s = scenario_of(8);
  s.sim.jitter = 0;
  s.sim.latencies = {{{3}, "alive", abi::Place::kAlive, 5000},
                     {{4}, "idle.released", abi::Place::kIdleReleased, 700},
                     {{5}, "step:timer", abi::step_place(3, false), 900}};
  const Latencies latencies(s);
  EXPECT_EQ(latencies.to(2, abi::Place::kAlive, 1), 100'000u);
  EXPECT_EQ(latencies.to(3, abi::Place::kAlive, 1), 5'000'000u);
  EXPECT_EQ(latencies.to(3, abi::Place::kIdleReleased, 1), 0u);
  EXPECT_EQ(latencies.to(4, abi::Place::kIdleReleased, 1), 700'000u);
  EXPECT_EQ(latencies.to(4, abi::step_place(3, false), 1), 10'000u);
  EXPECT_EQ(latencies.to(5, abi::step_place(3, false), 1), 900'000u);
  const Ran ran = run(s);
  const auto way_to_alive = [&](CpuIndex cpu) {
    return *ran.verdict.cpus[cpu].points.arrived[0] - *ran.verdict.cpus[cpu].points.kick;
  };
  EXPECT_NEAR(way_to_alive(3) - way_to_alive(2), 4900, 10);
}

TEST(Repeat, TenThousandCpusInEveryStrategy) {
  for (const Strategy strategy :
       {Strategy::kSerial, Strategy::kSplit, Strategy::kParallel, Strategy::kTree}) {
    const Scenario s = scenario_of(10'000, strategy);
    const auto seen = simulate(s);
    ASSERT_TRUE(seen) << seen.error().message;
    EXPECT_EQ(seen->end, RunEnd::kComplete);
    for (CpuIndex cpu = 1; cpu < 10'000; ++cpu)
      ASSERT_EQ(abi::Word::from(seen->cpus[cpu].word).state, abi::State::kActive) << cpu;
  }
}

TEST(Repeat, AnInterruptedRunSaysWhatItHasSeen) {
  const Scenario s = scenario_of(1000);
  const auto seen = simulate(s, {[] { return true; }, {}});
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->end, RunEnd::kInterrupted);
  EXPECT_EQ(judge(s, *seen).exit, ExitStatus::kInterrupted);
}

TEST(Repeat, WhatTheSimulatorThrowsIsAnError) {
  SimHooks hooks;
  hooks.interrupted = []() -> bool { throw std::runtime_error("out of order"); };
  const auto seen = simulate(scenario_of(4), hooks);
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().status, ExitStatus::kBroken);
  EXPECT_EQ(seen.error().message, "out of order");
}

TEST(Repeat, OneHundredCyclesLeaveNothingBehind) {
  Scenario s = scenario_of(8);
  const Ran once = run(s);
  s.bringup.cycles = 100;
  const Ran often = run(s);
  EXPECT_EQ(often.verdict.exit, ExitStatus::kAsExpected);
  expect_sound(often);
  EXPECT_EQ(often.cost.areas_in_use, once.cost.areas_in_use);
  for (CpuIndex cpu = 1; cpu < 8; ++cpu) {
    EXPECT_EQ(abi::Word::from(often.seen.cpus[cpu].word), (abi::Word{100, abi::State::kActive, 0}));
    EXPECT_EQ(often.verdict.cpus[cpu].quarantined, 0u);
  }
}

} // namespace
} // namespace reveille::vmm::sim
