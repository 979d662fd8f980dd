// Whole runs without faults: every strategy, from one CPU to many.
#include "tests/unit/sim/runs.hpp"

namespace reveille::vmm::sim {
namespace {

using abi::Strategy;

class Strategies : public testing::TestWithParam<std::tuple<Strategy, CpuIndex>> {
protected:
  Strategy strategy = std::get<0>(GetParam());
  CpuIndex cpus = std::get<1>(GetParam());
};

TEST_P(Strategies, BringAllUp) {
  const Ran ran = run(scenario_of(cpus, strategy));
  EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected);
  expect_sound(ran);
  for (CpuIndex cpu = 0; cpu < cpus; ++cpu)
    EXPECT_EQ(ran.outcome(cpu), "online");
  EXPECT_EQ(ran.cost.areas_in_use, cpus - 1);
}

std::string name_of(const testing::TestParamInfo<Strategies::ParamType> &info) {
  constexpr const char *kNames[] = {"Serial", "Split", "Parallel", "Tree"};
  return kNames[static_cast<std::size_t>(std::get<0>(info.param))] + std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Sim, Strategies,
                         testing::Combine(testing::Values(Strategy::kSerial, Strategy::kSplit,
                                                          Strategy::kParallel, Strategy::kTree),
                                          testing::Values(1u, 2u, 8u, 300u)),
                         name_of);

/// When CPU 0 entered bring-up until all was decided, milliseconds.
double decided_ms(const Ran &ran) { return ran.verdict.decided_us.value_or(0) / 1000; }

TEST(Strategies, TakeTheTimeThatTheyShould) {
  Scenario s = scenario_of(100, Strategy::kSerial);
  s.sim.jitter = 0;
  const double per_ap_serial = decided_ms(run(s)) / 99;
  // All that one AP takes: PREPARE, the kick, SIPI to alive, five steps.
  EXPECT_NEAR(per_ap_serial, 0.35 + 0.02 + 0.35 + 0.05, 0.05);
  s.bringup.strategy = Strategy::kParallel;
  EXPECT_NEAR(decided_ms(run(s)) / 99, 0.35 + 0.02, 0.03); // what the one control CPU does
  s.bringup.strategy = Strategy::kTree;
  EXPECT_LT(decided_ms(run(s)), 10 * per_ap_serial); // levels
}

TEST(Strategies, AWindowBoundsHowManyAreInFlight) {
  Scenario s = scenario_of(64, Strategy::kSplit);
  EXPECT_GT(run(s).cost.most_stacks, 60u); // nearly all wait at alive
  s.bringup.window = 4;
  const Ran ran = run(s);
  EXPECT_LE(ran.cost.most_stacks, 6u); // CPU 0's, and one that is about to become idle
  EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected);
}

TEST(Strategies, CpusBeyondMaxCpusAreLeftAlone) {
  Scenario s = scenario_of(8);
  s.bringup.max_cpus = 3;
  s.expect.online = {0, 1, 2};
  const Ran ran = run(s);
  EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected);
  EXPECT_EQ(ran.outcome(2), "online");
  EXPECT_EQ(ran.outcome(3), "not attempted");
}

TEST(Strategies, SpinningChangesNothingButTimes) {
  Scenario s = scenario_of(8);
  const Ran halting = run(s);
  s.bringup.wait = abi::Wait::kSpin;
  const Ran spinning = run(s);
  EXPECT_EQ(spinning.verdict.exit, ExitStatus::kAsExpected);
  EXPECT_LT(decided_ms(spinning), decided_ms(halting)); // nobody waits for an interrupt
}

TEST(Strategies, TheTscRendezvousIsServed) {
  const Ran ran = run(scenario_of(8));
  for (CpuIndex cpu = 1; cpu < 8; ++cpu) {
    const CpuVerdict &of = ran.verdict.cpus[cpu];
    ASSERT_TRUE(of.skew_ticks.has_value());
    EXPECT_LE(static_cast<std::uint64_t>(std::abs(*of.skew_ticks)), of.skew_resolution);
  }
}

} // namespace
} // namespace reveille::vmm::sim
