// What an observation says in words: steps' names, and how the run came to its end.
#include "vmm/judge/observation.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

TEST(StepNames, AStepWithoutANameIsItsNumber) {
  StepNames steps;
  steps.names[2] = {"tables", ""};
  EXPECT_EQ(step_name(steps, 2, 0), "tables");
  EXPECT_EQ(step_name(steps, 2, 1), "#1");
  EXPECT_EQ(step_name(steps, 2, 2), "#2");
  EXPECT_EQ(step_name(steps, 3, 0), "#0");
  EXPECT_EQ(step_name(steps, ~0ull, ~0ull), "#18446744073709551615");
  EXPECT_EQ(steps.find(2, 0), "tables");
  EXPECT_EQ(steps.find(2, 2), "");
  EXPECT_EQ(steps.find(4, 0), "");
}

TEST(RunEnd, IsToldInWords) {
  Observation seen;
  EXPECT_EQ(describe_end(seen), "");
  seen.end = RunEnd::kInterrupted;
  EXPECT_EQ(describe_end(seen), "interrupted");
  seen.end = RunEnd::kRefused;
  EXPECT_EQ(describe_end(seen, "it found no clock"), "the guest refused this machine: it found no clock");
  seen.end = RunEnd::kBound;
  seen.bound_ms = 7'560.4;
  EXPECT_EQ(describe_end(seen), "the run's bound of 7560 ms expired");
  seen.end = RunEnd::kControlDied;
  seen.crashes = {{.cpu = 3, .attempt = 1, .what = "page fault", .rip = 0}};
  EXPECT_EQ(describe_end(seen), "CPU 0 died");
  seen.crashes.push_back({.cpu = 0, .attempt = 0, .what = "triple fault", .rip = 0});
  EXPECT_EQ(describe_end(seen), "CPU 0 died: triple fault");
}

} // namespace
} // namespace reveille::vmm
