// Whole runs on firmware that lies, by every strategy.
#include "tests/unit/sim/runs.hpp"

#include "vmm/sim/time.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm::sim {
namespace {

using abi::Strategy;

FaultSpec firmware(Action action, std::vector<CpuIndex> cpus, CpuIndex to = 0) {
  FaultSpec fault;
  fault.cpus = std::move(cpus);
  fault.at = {"firmware", FirmwarePlace{}};
  fault.action = action;
  fault.to = to;
  return fault;
}

FaultSpec stall_at_started(CpuIndex cpu) {
  FaultSpec fault;
  fault.cpus = {cpu};
  fault.at = {"started", GuestPlace{abi::Place::kStarted}};
  fault.action = Action::kStall;
  return fault;
}

/// A lie on ten CPUs, of which CPU 8 stalls as well, and what must come of those that the lie is about.
struct Lie {
  std::vector<FaultSpec> faults;
  std::vector<CpuIndex> about;
  std::string outcome;
};

std::vector<Lie> lies() {
  return {
      {{firmware(Action::kGhost, {2, 5})}, {2, 5}, "absent@alive"},
      {{firmware(Action::kUnlisted, {1, 6})}, {1, 6}, "lost@alive"},
      {{firmware(Action::kDisabled, {4, 9})}, {4, 9}, "lost@alive"},
      {{firmware(Action::kSameId, {7}, 3)}, {7}, "timeout@alive"},
      {{firmware(Action::kSameId, {3, 4}, 7)}, {3, 4}, "timeout@alive"},
      {{firmware(Action::kSameId, {6}, 0)}, {6}, "timeout@alive"},
      {{firmware(Action::kSwapId, {2}, 9)}, {}, ""},
      {{firmware(Action::kSwapId, {3}, 0)}, {}, ""},
      {{firmware(Action::kDisabled, {1}), firmware(Action::kSameId, {1}, 2)}, {1}, "lost@alive"},
  };
}

Scenario told(const Lie &lie, Strategy strategy) {
  Scenario s = scenario_of(10, strategy);
  s.faults = lie.faults;
  s.faults.push_back(stall_at_started(8));
  for (const CpuIndex cpu : lie.about)
    s.expect.failed[cpu] = lie.outcome;
  s.expect.failed[8] = "timeout@started";
  std::erase_if(s.expect.online, [&](CpuIndex cpu) { return s.expect.failed.contains(cpu); });
  return s;
}

void expect_as_told(const Scenario &scenario, const std::string &what) {
  const Ran ran = run(scenario);
  expect_sound(ran);
  EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected) << what;
  for (const std::string &difference : ran.verdict.differences)
    ADD_FAILURE() << what << ": " << difference;
}

TEST(SimulatedFirmware, EveryLieComesToWhatItMustByEveryStrategy) {
  const std::vector<Lie> all = lies();
  for (const Strategy strategy : {Strategy::kSerial, Strategy::kSplit, Strategy::kParallel, Strategy::kTree})
    for (std::size_t i = 0; i < all.size(); ++i)
      for (const std::uint32_t cycles : {1u, 3u})
        for (const std::uint32_t threads : {1u, 2u}) {
          Scenario s = told(all[i], strategy);
          s.bringup.cycles = cycles;
          s.machine.threads_per_core = threads;
          s.bringup.primary_threads_first = threads > 1;
          expect_as_told(s, fmt::format("lie {}, strategy {}, {} cycles, {} threads", i,
                                        static_cast<int>(strategy), cycles, threads));
        }
}

TEST(SimulatedFirmware, EachAttemptKicksNobodyOnce) {
  Scenario s = told(lies().front(), Strategy::kParallel);
  s.bringup.attempts = 3;
  s.faults.pop_back();
  s.expect.failed.erase(8);
  s.expect.online.push_back(8);
  std::ranges::sort(s.expect.online);
  const Ran ran = run(s);
  expect_sound(ran);
  EXPECT_EQ(ran.outcome(2), "absent@alive");
  EXPECT_EQ(ran.verdict.cpus[2].attempts, 3u);
  EXPECT_FALSE(ran.seen.cpus[2].vcpu);
}

TEST(SimulatedFirmware, AnUnlistedCpuThatIsStartedParksAndTouchesNothing) {
  Scenario s = scenario_of(4);
  s.faults = {firmware(Action::kUnlisted, {2})};
  FaultSpec at;
  at.cpus = {2};
  at.at = {"time:1", TimePlace{1}};
  at.action = Action::kReset;
  s.faults.push_back(at);
  at.at = {"time:2", TimePlace{2}};
  at.action = Action::kSpuriousSipi;
  at.vector = 0x10;
  s.faults.push_back(at);
  s.expect.failed[2] = "lost@alive";
  std::erase(s.expect.online, 2);
  expect_as_told(s, "started by a fault");
  const Ran ran = run(s);
  ASSERT_TRUE(ran.seen.cpus[2].vcpu);
  EXPECT_EQ(ran.seen.cpus[2].vcpu->mp_state, "halted");
  EXPECT_EQ(ran.seen.cpus[2].word, 0u);
  EXPECT_TRUE(ran.seen.cpus[2].events.empty());
}

TEST(SimulatedFirmware, TheAccountNamesTheCpusThatTheMadtLeavesOut) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Scenario s = scenario_of(6);
    s.seed = seed;
    s.faults = {firmware(Action::kUnlisted, {1, 2, 3, 4, 5})};
    s.faults[0].probability = 0.5;
    const Ran ran = run(s);
    expect_sound(ran);
    ASSERT_EQ(ran.seen.faults.size(), 5u);
    for (const FaultAccount &account : ran.seen.faults)
      EXPECT_EQ(account.fired, ran.outcome(account.cpu) == "lost@alive")
          << "seed " << seed << ", CPU " << account.cpu;
    for (const Firing &firing : ran.seen.firings)
      EXPECT_EQ(ran.outcome(firing.cpu), "lost@alive") << "seed " << seed;
  }
}

TEST(SimulatedFirmware, ASkewIsMeasured) {
  for (const Strategy strategy : {Strategy::kSerial, Strategy::kSplit, Strategy::kParallel, Strategy::kTree})
    for (const double skew_us : {-800'000.0, -3.0, 3.0, 800'000.0})
      for (const abi::Wait wait : {abi::Wait::kHalt, abi::Wait::kSpin}) {
        Scenario s = scenario_of(8, strategy);
        s.bringup.wait = wait;
        s.faults = {firmware(Action::kSkew, {1, 2, 3, 5})};
        s.faults[0].skew_us = skew_us;
        expect_as_told(s, fmt::format("skew {}", skew_us));
        const Ran ran = run(s);
        for (const CpuIndex cpu : {1u, 4u, 5u}) {
          const CpuVerdict &of = ran.verdict.cpus[cpu];
          ASSERT_TRUE(of.skew_ticks) << cpu;
          // In a tree another than CPU 0 may have measured it, and be off itself.
          if (strategy == Strategy::kTree)
            continue;
          const double ticks = cpu == 4 ? 0 : skew_us * kTscKhz / 1000;
          EXPECT_NEAR(static_cast<double>(*of.skew_ticks), ticks, static_cast<double>(of.skew_resolution));
        }
        EXPECT_LT(*ran.verdict.decided_us, 100'000); // by one clock, whoever wrote it down
      }
}

} // namespace
} // namespace reveille::vmm::sim
