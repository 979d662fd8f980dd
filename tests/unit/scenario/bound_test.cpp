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
  EXPECT_EQ(bound_of("attempts = 4\nstop = \"none\"\n" + kThreeDead), kHealthy + 4000);
  EXPECT_EQ(bound_of("attempts = 4\n" + kThreeDead), kHealthy + 4000 * 1.25); // a rest behind each stop
  EXPECT_EQ(bound_of("strategy = \"serial\"\n[expect]\nfailed = { \"1-2\" = \"absent@alive\" }\n"),
            kHealthy + 2000);
}

TEST(scenario, the_bound_has_room_for_every_fault) {
  const std::string delay = "[[fault]]\ncpu = \"1-3\"\naction = \"delay\"\nduration_ms = 500\n";
  EXPECT_EQ(bound_of(delay + "at = \"idle\"\n"), kHealthy + 1000 + 500);
  EXPECT_EQ(bound_of(delay + "at = \"kick\"\n"), kHealthy + 1000 + 3 * 500);
  EXPECT_EQ(bound_of("strategy = \"serial\"\n" + delay + "at = \"idle\"\n"), kHealthy + 3000 + 3 * 500);
  EXPECT_EQ(bound_of("attempts = 2\n" + delay + "at = \"idle\"\nattempt = 0\ncount = 9\n"),
            kHealthy + 2000 * 1.25 + 2 * 500);
  EXPECT_EQ(bound_of(delay + "at = \"time:7000\"\n"), kHealthy + 1000 + 500 + 7000);
}

TEST(scenario, the_bound_has_room_for_words_that_pass_for_arrivals) {
  const std::string stale = "[[fault]]\ncpu = \"1-3\"\nat = \"alive\"\naction = \"stale\"\n";
  const std::string flip = "[[fault]]\ncpu = \"1-3\"\nat = \"alive\"\nbits = 1\naction = \"flip\"\n";
  EXPECT_EQ(bound_of(flip), bound_of(stale) + 3 * 1000);
}

TEST(scenario, the_bound_counts_the_levels_of_a_tree) {
  const std::string tree = "strategy = \"tree\"\n";
  EXPECT_EQ(bound_of(tree), kHealthy + (7 + 1 + 1) * 1000); // 99 may die; 7 levels reach 100 CPUs
  EXPECT_EQ(bound_of(tree + kThreeDead), kHealthy + 3000);  // never more than one each
  EXPECT_EQ(bound_of(tree + "window = 4\n"), kHealthy + (7 + 1 + 25) * 1000);
  EXPECT_EQ(bound_of(tree + "attempts = 2\n"), kHealthy + (7 + 1 + 1) * 2 * 1000 * 1.25);
  // Whoever is struck while it brings another up may cost the lease.
  const std::string up = "[[fault]]\ncpu = \"1-2\"\naction = \"stall\"\nduration_ms = 7\nat = ";
  EXPECT_EQ(bound_of(tree + up + "\"active.released\"\n"), kHealthy + 2000 + 2 * 7 + 2 * 3 * 1000);
  EXPECT_EQ(bound_of(tree + up + "\"kick\"\n"), kHealthy + 2000 + 2 * 7 + 2 * 3 * 1000);
  EXPECT_EQ(bound_of(tree + up + "\"time:5\"\n"), kHealthy + 2000 + 2 * 7 + 2 * 3 * 1000 + 5);
  EXPECT_EQ(bound_of(tree + up + "\"alive\"\n"), kHealthy + 2000 + 2 * 7);
}

TEST(scenario, the_bound_grows_with_the_cycles) {
  constexpr double kThree = 5000 + 100 * 20 * 5 + 2 * 1000; // three times up, twice down
  const std::string cycles = "cycles = 3\n";
  EXPECT_EQ(bound_of(cycles), kThree + 3 * 2 * 1000); // some may die in each, up or down
  EXPECT_EQ(bound_of(cycles + kThreeDead), kThree + 2 * 1000);
  EXPECT_EQ(bound_of(cycles + kThreeDead + "cycle = 0\n"), kThree + 3 * 1000); // each dies once
  EXPECT_EQ(bound_of(cycles + "attempts = 2\n" + kThreeDead + "cycle = 0\n"), kThree + 3 * 3 * 1000 * 1.25);
  EXPECT_EQ(bound_of(cycles + "attempts = 2\n" + kThreeDead + "cycle = 2\n"), kThree + 3 * 1000 * 1.25);
  const std::string delay = "[[fault]]\ncpu = 1\nat = \"idle\"\naction = \"delay\"\nduration_ms = 500\n";
  EXPECT_EQ(bound_of(cycles + delay + "cycle = 0\ncount = 2\n"), kThree + 1000 + 2 * 500);
  EXPECT_EQ(bound_of(cycles + delay + "cycle = 0\ncount = 9\n"), kThree + 1000 + 3 * 500);
}

TEST(scenario, the_bound_has_room_for_what_is_simulated) {
  const std::string text = "[machine]\nvcpus = 10\n[sim]\njitter = 0.5\nboot_us = 2000000\n"
                           "[[sim.latency]]\ncpu = \"1-3\"\nat = \"idle\"\nus = 4000000\n";
  LoadOptions options;
  const auto on_kvm = parse_scenario(text, "x.toml", options);
  options.backend = Backend::kSim;
  const auto on_sim = parse_scenario(text, "x.toml", options);
  ASSERT_TRUE(on_kvm && on_sim);
  const double more = run_bound_ms(*on_sim) - run_bound_ms(*on_kvm);
  EXPECT_GT(more, 1.5 * (10 * 2000 + 3 * 4000));
  EXPECT_LT(more, 2 * 1.5 * (10 * 2000 + 3 * 4000));
}

} // namespace
} // namespace reveille::vmm
