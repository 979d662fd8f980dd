// The fault engine and a firmware that lies: who is there, and by which number.
#include "tests/unit/faults/engines.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

using abi::Place;
using abi::State;
using abi::Word;

TEST(FaultEngine, ATimeStrikesNobodyWhoIsNotThere) {
  FaultSpec ghost = fault_at(Place::kAlive, Action::kGhost, 0, {1});
  ghost.at = {"firmware", FirmwarePlace{}};
  FaultEngine engine = engine_of({ghost, fault_in_time(50, {1, 2})});
  const auto timed = engine.timed();
  ASSERT_EQ(timed.size(), 1u);
  EXPECT_EQ(timed[0].strike.cpu, 2u);
  EXPECT_TRUE(engine.see_through(1, with({1, State::kKicked, 0}, true)));
  EXPECT_FALSE(engine.see_through(2, with({1, State::kActive, 0}, true, true)));
}

/// What is drawn for a CPU is the same by whichever numbers it is asked for.
TEST(FaultEngine, DrawsByTheCpusOfTheScenario) {
  FaultSpec unlisted = fault_at(Place::kAlive, Action::kUnlisted, 0, {1, 2, 3, 4, 5});
  unlisted.at = {"firmware", FirmwarePlace{}};
  FaultSpec stall = fault_at(Place::kStarted, Action::kStall, 0, {1, 2, 3, 4, 5});
  unlisted.probability = stall.probability = 0.5;
  unsigned renumbered = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Scenario scenario;
    scenario.machine.vcpus = scenario.bringup.max_cpus = 6;
    scenario.faults = {unlisted, stall};
    scenario.seed = seed;
    const Roster roster(scenario);
    FaultEngine lab(scenario, roster, CpuNumbers::kScenario);
    FaultEngine sim(scenario, roster, CpuNumbers::kGuest);
    for (CpuIndex cpu = 1; cpu < 6; ++cpu) {
      const CpuIndex number = roster.number_of(cpu);
      renumbered += number != cpu;
      const bool fires = lab.begin(lab.at(cpu, Place::kStarted, {1, 1}).at(0), cpu, word(1), 0).has_value();
      EXPECT_EQ(sim.begin(sim.at(number, Place::kStarted, {1, 1}).at(0), number, word(1), 0).has_value(),
                fires)
          << "seed " << seed << ", CPU " << cpu;
    }
    const auto expect_as_built = [&](const FaultAccount &account, CpuIndex cpu) {
      if (account.fault == 0) {
        EXPECT_EQ(account.fired, roster.presence(cpu) == Presence::kUnlisted)
            << "seed " << seed << ", CPU " << cpu;
      }
    };
    for (const FaultAccount &account : lab.accounts())
      expect_as_built(account, account.cpu);
    for (const FaultAccount &account : sim.accounts())
      expect_as_built(account, roster.cpu_of(account.cpu));
  }
  EXPECT_GT(renumbered, 10u);
}

TEST(FaultEngine, FirmwareHasFiredWhenTheMachineIsThere) {
  FaultSpec ghost = fault_at(Place::kAlive, Action::kGhost, 0, {1, 3});
  ghost.at = {"firmware", FirmwarePlace{}};
  FaultEngine engine = engine_of({ghost});
  const auto accounts = engine.accounts();
  ASSERT_EQ(accounts.size(), 2u);
  for (const FaultAccount &account : accounts)
    EXPECT_TRUE(account.fired == 1 && account.seen_through) << account.cpu;
  const auto firings = engine.firings();
  ASSERT_EQ(firings.size(), 2u);
  EXPECT_EQ(firings[1].cpu, 3u);
  EXPECT_EQ(firings[1].end, HoldEnd::kDone);
  EXPECT_TRUE(firings[1].seen_through);
  EXPECT_EQ(engine.armed(1), 0u);
  EXPECT_EQ(engine.holding(), 0u);
  EXPECT_FALSE(engine.holder(1));
  EXPECT_TRUE(engine.see_through(1, with({1, State::kKicked, 0}, false)));
}

} // namespace
} // namespace reveille::vmm
