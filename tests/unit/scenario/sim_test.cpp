// [sim]: how long things take on the simulated machine.
#include "mistakes.hpp"

#include "vmm/scenario/print.hpp"

namespace reveille::vmm {
namespace {

std::string latency(const std::string &keys) { return kEight + "[[sim.latency]]\n" + keys; }

TEST(scenario, sim_figures_have_defaults) {
  const auto scenario = parse_scenario(kEight, "x.toml");
  ASSERT_TRUE(scenario);
  const SimSpec in_code; // what a scenario that is made in code has
  const SimSpec &sim = scenario->sim;
  EXPECT_EQ(sim.prepare_us, in_code.prepare_us);
  EXPECT_EQ(sim.kick_us, in_code.kick_us);
  EXPECT_EQ(sim.wake_us, in_code.wake_us);
  EXPECT_EQ(sim.boot_us, in_code.boot_us);
  EXPECT_EQ(sim.step_us, in_code.step_us);
  EXPECT_EQ(sim.ipi_us, in_code.ipi_us);
  EXPECT_EQ(sim.serve_us, in_code.serve_us);
  EXPECT_EQ(sim.jitter, in_code.jitter);
  EXPECT_GT(sim.jitter, 0);
  EXPECT_TRUE(sim.latencies.empty());
}

TEST(scenario, sim_figures_are_read) {
  const auto scenario = parse_scenario(
      latency("cpu = \"2-3\"\nat = \"step:timer\"\nus = 40.5\n[[sim.latency]]\ncpu = \"all\"\nat "
              "= \"alive\"\nus = 3500\n[sim]\nkick_us = 1.5\njitter = 0"),
      "x.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->sim.kick_us, 1.5);
  EXPECT_EQ(scenario->sim.jitter, 0);
  ASSERT_EQ(scenario->sim.latencies.size(), 2U);
  EXPECT_EQ(scenario->sim.latencies[0].cpus, (std::vector<CpuIndex>{2, 3}));
  EXPECT_EQ(scenario->sim.latencies[0].place, abi::step_place(3, false));
  EXPECT_EQ(scenario->sim.latencies[0].us, 40.5);
  EXPECT_EQ(scenario->sim.latencies[1].cpus.size(), 7U);
  EXPECT_EQ(scenario->sim.latencies[1].place, abi::Place::kAlive);
  const std::string printed = to_toml(*scenario);
  const auto again = parse_scenario(printed, "x.toml");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_toml(*again), printed);
}

TEST(scenario, sim_figures_can_be_set) {
  const auto scenario = parse_scenario(
      kEight, "x.toml",
      {{"sim.jitter=0.5", "sim.latency.0.cpu=3", "sim.latency.0.at=alive", "sim.latency.0.us=7"}, {}});
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->sim.jitter, 0.5);
  ASSERT_EQ(scenario->sim.latencies.size(), 1U);
  EXPECT_EQ(scenario->sim.latencies[0].us, 7);
}

TEST(scenario, sim_mistakes_are_named) {
  expect_messages({
      {kEight + "[sim]\njiter = 0.1", R"(4:1: sim.jiter: unknown key; did you mean "jitter"?)"},
      {kEight + "[sim]\njitter = 1.5", "4:10: sim.jitter: 1.5 is out of range: 0..1"},
      {kEight + "[sim]\nkick_us = -1", "4:11: sim.kick_us: -1 is out of range: 0..3600000000"},
      {kEight + "[sim]\nkick_us = \"1\"", R"(4:11: sim.kick_us: expected a number, found the string "1")"},
      {latency("cpu = 1\nat = \"alive\""), "3:1: sim.latency.0.us: missing; it has no default"},
      {latency("cpu = 8\nat = \"alive\"\nus = 1"),
       "4:7: sim.latency.0.cpu: there is no CPU 8: the machine has CPUs 0 to 7 (vcpus = 8)"},
      {latency("cpu = 0\nat = \"alive\"\nus = 1"),
       "4:7: sim.latency.0.cpu: CPU 0 is the control CPU and comes to none of these places"},
      {latency("cpu = 1\nat = \"alife\"\nus = 1"),
       R"(5:6: sim.latency.0.at: unknown place "alife"; did you mean "alive"?)"},
      {latency("cpu = 1\nat = \"time:3\"\nus = 1"),
       R"(5:6: sim.latency.0.at: nothing takes time at "time:3")"},
      {latency("cpu = 1\nat = \"init\"\nus = 1"), R"(5:6: sim.latency.0.at: nothing takes time at "init")"},
      {latency("cpu = 1\nat = \"step:timer.done\"\nus = 1"),
       R"(5:6: sim.latency.0.at: "step:timer.done" takes no time of its own; the step does, without ".done")"},
  });
}

} // namespace
} // namespace reveille::vmm
