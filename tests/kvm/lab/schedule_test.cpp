// Strategy, window and wait, as the guest keeps them: the first two as its events tell, the last as KVM
// counts halts. REVEILLE_GUEST in the environment is another guest to be held to that.
#include "tests/kvm/bare_guest.hpp"
#include "tests/unit/sim/schedule.hpp"
#include "vmm/lab/lab.hpp"

#include <cstdlib>
#include <optional>

namespace reveille::vmm::test {
namespace {

std::string guest() {
  const char *other = std::getenv("REVEILLE_GUEST"); // NOLINT(concurrency-mt-unsafe)
  return other != nullptr ? other : REVEILLE_GUEST;
}

/// What a run has shown, and how often CPU 0 and the APs halted in it.
struct Ran {
  Observation seen;
  std::optional<std::uint64_t> control_halts, ap_halts; ///< none where KVM does not count them

  explicit Ran(const Scenario &scenario) {
    Machine machine = must(Machine::build(scenario, guest()));
    Lab lab(scenario, machine);
    seen = must(lab.run({}));
    for (CpuIndex cpu = 0; cpu < machine.cpus(); ++cpu) {
      EXPECT_EQ(seen.cpus[cpu].lost_events, 0U) << "CPU " << cpu;
      if (!machine.exists(cpu))
        continue;
      for (const KvmStat &stat : machine.vcpu(cpu).stats().value_or(std::vector<KvmStat>{}))
        if (stat.name == "halt_exits") {
          auto &halts = cpu == 0 ? control_halts : ap_halts;
          halts = halts.value_or(0) + stat.value;
        }
    }
  }
};

class ScheduleOnKvm : public testing::TestWithParam<std::string> {};

TEST_P(ScheduleOnKvm, IsAsTheScenarioSays) {
  REVEILLE_NEEDS_KVM();
  const Scenario scenario = must(load_scenario(GetParam()));
  expect_as_promised(scenario, Schedule(scenario, Ran(scenario).seen));
}

INSTANTIATE_TEST_SUITE_P(Configs, ScheduleOnKvm, testing::ValuesIn(scheduled_scenarios()),
                         [](const auto &each) { return name_of(each.param); });

TEST(ScheduleOfEightOnKvm, IsAllThatIsAllowed) {
  REVEILLE_NEEDS_KVM();
  for (const char *strategy : {"serial", "split", "parallel", "tree"})
    for (const unsigned window : {0U, 3U}) {
      SCOPED_TRACE(fmt::format("{}, window {}", strategy, window));
      const Scenario scenario = eight_cpus(strategy, window);
      expect_as_allowed(scenario, Schedule(scenario, Ran(scenario).seen));
    }
}

/// A CPU halts in its idle loop however it waits, and CPU 0 when all is decided.
TEST(WaitOnKvm, IsAsTheScenarioSays) {
  REVEILLE_NEEDS_KVM();
  constexpr std::uint64_t kDecided = 2; // halts of CPU 0 at most: one, and after an interrupt another
  constexpr std::uint64_t kIdle = 3; // of an AP at most: before active, after it, and when it has had an AP
  for (const char *strategy : {"serial", "tree"})
    for (const char *wait : {"halt", "spin"}) {
      SCOPED_TRACE(fmt::format("{}, {}", strategy, wait));
      const Scenario scenario = eight_cpus(strategy, 0, wait);
      const Ran ran(scenario);
      if (!ran.control_halts || !ran.ap_halts)
        GTEST_SKIP() << "this KVM does not count halts";
      const std::uint64_t idle = kIdle * (scenario.bringup.max_cpus - 1);
      const bool halts = scenario.bringup.wait == abi::Wait::kHalt;
      EXPECT_EQ(*ran.control_halts > kDecided, halts) << *ran.control_halts << " halts of CPU 0";
      EXPECT_EQ(*ran.ap_halts > idle, halts) << *ran.ap_halts << " halts of the APs";
    }
}

} // namespace
} // namespace reveille::vmm::test
