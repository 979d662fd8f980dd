// Strategy and window, as the simulated guest keeps them.
#include "tests/unit/sim/schedule.hpp"

#include "tests/unit/sim/runs.hpp"

namespace reveille::vmm::sim {
namespace {

using test::Schedule;

class ScheduleOf : public testing::TestWithParam<std::string> {};

TEST_P(ScheduleOf, IsAsTheScenarioSays) {
  const auto scenario = load_scenario(GetParam(), {{}, {}, Backend::kSim});
  ASSERT_TRUE(scenario) << scenario.error().message;
  test::expect_as_promised(*scenario, Schedule(*scenario, run(*scenario).seen));
}

INSTANTIATE_TEST_SUITE_P(Configs, ScheduleOf, testing::ValuesIn(test::scheduled_scenarios()),
                         [](const auto &each) { return test::name_of(each.param); });

TEST(ScheduleOfEight, IsAllThatIsAllowed) {
  for (const char *strategy : {"serial", "split", "parallel", "tree"})
    for (const unsigned window : {0U, 3U}) {
      SCOPED_TRACE(fmt::format("{}, window {}", strategy, window));
      const Scenario scenario = test::eight_cpus(strategy, window);
      test::expect_as_allowed(scenario, Schedule(scenario, run(scenario).seen));
    }
}

} // namespace
} // namespace reveille::vmm::sim
