#include "core/driver.hpp"
#include "scripted_machine.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace {

using reveille::abi::Strategy;
using reveille::core::Policy;
using reveille::core::Settings;

constexpr unsigned kAll = std::numeric_limits<unsigned>::max();

TEST(Policy, SerialIsOneAtATimeWhateverTheWindow) {
  for (const unsigned window : {0U, 1U, 5U}) {
    const Policy policy = Policy::of(Strategy::kSerial, window);
    EXPECT_EQ(policy.in_flight, 1U);
    EXPECT_EQ(policy.finishing, 1U);
    EXPECT_FALSE(policy.kick_first);
  }
}

TEST(Policy, SplitKicksAllAndFinishesOneByOne) {
  const Policy policy = Policy::of(Strategy::kSplit, 0);
  EXPECT_EQ(policy.in_flight, kAll);
  EXPECT_EQ(policy.finishing, 1U);
  EXPECT_TRUE(policy.kick_first);
  EXPECT_EQ(Policy::of(Strategy::kSplit, 4).in_flight, 4U);
}

TEST(Policy, ParallelHoldsNobodyBack) {
  const Policy policy = Policy::of(Strategy::kParallel, 0);
  EXPECT_EQ(policy.in_flight, kAll);
  EXPECT_EQ(policy.finishing, kAll);
  EXPECT_FALSE(policy.kick_first);
  EXPECT_EQ(Policy::of(Strategy::kParallel, 3).in_flight, 3U);
}

TEST(Settings, TheRendezvousIsBoundedFarBelowTheTurn) {
  Settings settings;
  settings.set_timeout(300'000, 1'000); // 300 ms
  EXPECT_EQ(settings.timeout, 300'000U);
  EXPECT_EQ(settings.tsc_wait, 75'000U);
  EXPECT_EQ(settings.tsc_look, 250U) << "who does not answer at once has no processor, and others wait";
  EXPECT_EQ(settings.recheck, 2'000U);
  EXPECT_EQ(settings.rest, 10'000U) << "what the manual asks for behind an INIT";
  settings.set_timeout(1'000, 1'000); // 1 ms
  EXPECT_EQ(settings.rest, 250U) << "a quarter of a turn at most";
  EXPECT_EQ(settings.tsc_wait, 250U);
  EXPECT_EQ(settings.tsc_look, 15U);
  EXPECT_EQ(settings.recheck, 15U);
}

} // namespace
