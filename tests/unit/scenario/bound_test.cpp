#include "vmm/scenario/bound.hpp"

#include "vmm/scenario/load.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

double bound_of(const std::string &rest, int vcpus = 100) {
  const auto scenario = parse_scenario(
      "[machine]\nvcpus = " + std::to_string(vcpus) + "\n[bringup]\ntimeout_ms = 1000\n" + rest, "x.toml");
  EXPECT_TRUE(scenario) << scenario.error().message;
  return scenario ? run_bound_ms(*scenario) : 0;
}

constexpr double kHealthy = 5000 + 100 * 20 + 2 * 1000;
const std::string kThreeDead = "[[fault]]\ncpu = \"1-3\"\nat = \"alive\"\naction = \"stall\"\n";

TEST(scenario, the_bound_counts_dead_aps_as_the_strategy_does) {
  EXPECT_EQ(bound_of(""), kHealthy + 1000); // nobody is named, so that all may die
  EXPECT_EQ(bound_of("strategy = \"serial\"\n"), kHealthy + 99 * 1000);
  EXPECT_EQ(bound_of("max_cpus = 1\n"), kHealthy);
  EXPECT_EQ(bound_of("wait = \"spin\"\n"), kHealthy + 100 * 100 + 1000);
  EXPECT_EQ(bound_of(kThreeDead), kHealthy + 1000);
  EXPECT_EQ(bound_of("window = 2\n" + kThreeDead), kHealthy + 2000);
  EXPECT_EQ(bound_of("strategy = \"serial\"\n" + kThreeDead), kHealthy + 3000);
  EXPECT_EQ(bound_of("strategy = \"split\"\n" + kThreeDead), kHealthy + 3000);
  EXPECT_EQ(bound_of("attempts = 4\n" + kThreeDead), kHealthy + 4000);
  EXPECT_EQ(bound_of("strategy = \"serial\"\n[expect]\nfailed = { \"1-2\" = \"absent@alive\" }\n"),
            kHealthy + 2000);
}

TEST(scenario, the_bound_has_room_for_every_fault) {
  const std::string delay = "[[fault]]\ncpu = \"1-3\"\naction = \"delay\"\nduration_ms = 500\n";
  EXPECT_EQ(bound_of(delay + "at = \"idle\"\n"), kHealthy + 1000 + 500);
  EXPECT_EQ(bound_of(delay + "at = \"kick\"\n"), kHealthy + 1000 + 3 * 500);
  EXPECT_EQ(bound_of("strategy = \"serial\"\n" + delay + "at = \"idle\"\n"), kHealthy + 3000 + 3 * 500);
  EXPECT_EQ(bound_of("attempts = 2\n" + delay + "at = \"idle\"\nattempt = 0\ncount = 9\n"),
            kHealthy + 2000 + 2 * 500);
  EXPECT_EQ(bound_of(delay + "at = \"time:7000\"\n"), kHealthy + 1000 + 500 + 7000);
}

} // namespace
} // namespace reveille::vmm
