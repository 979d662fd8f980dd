// The chains of every scenario in configs/, run on the simulated machine, and of some in detail.
#include "tests/unit/analysis/whole_chain.hpp"
#include "tests/unit/sim/runs.hpp"
#include "vmm/scenario/load.hpp"

#include <filesystem>

namespace reveille::vmm {
namespace {

std::vector<std::string> configs() {
  std::vector<std::string> files;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(REVEILLE_SOURCE_DIR "/configs"))
    if (entry.path().extension() == ".toml")
      files.push_back(entry.path().string());
  return files;
}

struct Told {
  Scenario scenario;
  sim::Ran ran;
  Chain chain;
};

Told run(const std::string &file) {
  auto scenario = load_scenario(file);
  if (!scenario) {
    ADD_FAILURE() << scenario.error().message;
    return {};
  }
  scenario->backend = Backend::kSim;
  Told told{*scenario, sim::run(*scenario), {}};
  told.chain = critical_chain(told.scenario, told.ran.seen, told.ran.verdict);
  return told;
}

Told run_config(const std::string &name) { return run(REVEILLE_SOURCE_DIR "/configs/" + name); }

TEST(ChainOnSim, OfEveryConfigIsWhole) {
  EXPECT_GE(configs().size(), 100U);
  for (const std::string &file : configs()) {
    const Told of = run(file);
    expect_whole(of.chain, file);
    EXPECT_EQ(of.chain.gap, of.ran.verdict.gap) << file;
    const bool all_up = of.chain.end == ChainEnd::kActive;
    if (of.scenario.expect.failed.contains(0)) { // CPU 0 dies, and with it what decides
      ASSERT_EQ(of.chain.end, ChainEnd::kLastEvent) << file;
    } else {
      ASSERT_TRUE(all_up || of.chain.end == ChainEnd::kDecided) << file;
      EXPECT_EQ(of.chain.total_us, all_up ? of.ran.verdict.bringup_us : of.ran.verdict.decided_us) << file;
    }
    for (const ChainLink &link : of.chain.links)
      EXPECT_NE(link.kind, LinkKind::kUnknown) << file << " at " << link.from_us;
    const Blame blame = blame_of(of.chain, of.ran.seen);
    EXPECT_NEAR(blame.total_us, of.ran.seen.total_us, 1) << file;
  }
}

TEST(ChainOnSim, OfParallelIsPrepareOneAfterAnother) {
  const Chain chain = run_config("parallel-64.toml").chain;
  EXPECT_EQ(blame_of(chain).parts.front().name, "prepare");
  EXPECT_EQ(count_of(chain, LinkKind::kPrepare, 0), 63U);
  EXPECT_EQ(count_of(chain, LinkKind::kKick, 0), 62U) << "the last kick ends with alive, not on the CP";
}

TEST(ChainOnSim, OfSerialGoesThroughEveryCpu) {
  const Chain chain = run_config("serial-8.toml").chain;
  for (CpuIndex cpu = 1; cpu < 8; ++cpu) {
    EXPECT_EQ(count_of(chain, LinkKind::kAlive, cpu), 1U) << cpu;
    EXPECT_EQ(count_of(chain, LinkKind::kActive, cpu), 1U) << cpu;
  }
}

TEST(ChainOnSim, OfSplitFinishesOneAfterAnother) {
  const Chain chain = run_config("split-8.toml").chain;
  for (CpuIndex cpu = 1; cpu < 8; ++cpu)
    EXPECT_EQ(count_of(chain, LinkKind::kStarting, cpu), 1U) << cpu;
  EXPECT_LE(count_of(chain, LinkKind::kAlive, 1) + count_of(chain, LinkKind::kAlive, 2), 1U);
}

TEST(ChainOnSim, OfATreeGoesFromControlCpuToControlCpu) {
  const Chain chain = run_config("tree-64.toml").chain;
  const auto last = std::ranges::find_if(chain.links.rbegin(), chain.links.rend(), [](const ChainLink &link) {
    return link.kind == LinkKind::kPrepare;
  });
  ASSERT_NE(last, chain.links.rend());
  EXPECT_NE(last->cpu, 0U) << "the last one was left to another control CPU";
  EXPECT_EQ(count_of(chain, LinkKind::kActive, last->cpu), 1U) << "which had to come up first";
}

TEST(ChainOnSim, NamesTheLeaseThatLapsed) {
  const Told of = run_config("faults/tree-control-cpu-stalls.toml");
  const double held = first_of(of.chain, LinkKind::kHeld, 1).us();
  EXPECT_GT(held, 0.9 * of.chain.total_us);
}

TEST(ChainOnSim, GoesBackToTheAttemptBefore) {
  const Told of = run_config("faults/second-attempt-succeeds.toml");
  EXPECT_EQ(of.chain.end, ChainEnd::kActive);
  const ChainLink wait = first_of(of.chain, LinkKind::kTimeout, 3);
  EXPECT_NEAR(wait.us(), of.scenario.bringup.timeout_ms * 1000, 100);
  EXPECT_TRUE(wait.fault) << "it was held all the while";
}

TEST(ChainOnSim, GoesThroughAllCycles) {
  const Told of = run_config("cycles-100.toml");
  EXPECT_EQ(of.chain.cycles, 100U);
  EXPECT_EQ(blame_of(of.chain).parts.front().name, "undo") << "it goes down 99 times";
  std::size_t kicked = 0;
  for (CpuIndex cpu = 1; cpu < of.scenario.machine.vcpus; ++cpu)
    kicked += count_of(of.chain, LinkKind::kAlive, cpu);
  EXPECT_GE(kicked, 100U);
}

TEST(ChainOnSim, TellsWhatAFaultTook) {
  const Told of = run_config("faults/delay-at-kick.toml");
  EXPECT_NEAR(first_of(of.chain, LinkKind::kHeld, 0).us(), 100'000, 1);
  EXPECT_EQ(blame_of(of.chain).parts.front().name, "held");
}

TEST(ChainOnSim, NamesTheStepThatTookLong) {
  Scenario scenario = sim::scenario_of(4);
  scenario.backend = Backend::kSim;
  LatencySpec slow;
  slow.cpus = {3};
  slow.at = "step:timer";
  slow.place = abi::step_place(3, false);
  slow.us = 50'000;
  scenario.sim.latencies.push_back(slow);
  const sim::Ran ran = sim::run(scenario);
  const Chain chain = critical_chain(scenario, ran.seen, ran.verdict);
  EXPECT_EQ(link_text(first_of(chain, LinkKind::kStarting, 3), ran.seen.steps),
            "ran its STARTING steps, timer above all");
}

} // namespace
} // namespace reveille::vmm
