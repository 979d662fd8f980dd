#include "vmm/scenario/memory.hpp"

#include "vmm/scenario/load.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

TEST(scenario, memory_grows_with_cpus_and_attempts) {
  const auto of = [](std::uint32_t cpus, std::uint32_t attempts) {
    return default_memory_mib({cpus, attempts, abi::Strategy::kParallel});
  };
  EXPECT_EQ(of(1, 1), 16U);
  EXPECT_EQ(of(1000, 1), 55U);
  for (std::uint32_t cpus = 1; cpus < 1024; ++cpus)
    for (std::uint32_t attempts = 1; attempts < 8; ++attempts) {
      ASSERT_LE(of(cpus, attempts), of(cpus + 1, attempts));
      ASSERT_LE(of(cpus, attempts), of(cpus, attempts + 1));
      ASSERT_LE(of(cpus, attempts), default_memory_mib({cpus, attempts, abi::Strategy::kTree}));
    }
}

TEST(scenario, rings_have_room_for_what_one_cycle_writes) {
  using abi::Strategy;
  EXPECT_GE(abi::control_ring_events(1000, 3), 1000 * 3 * abi::kControlEvents);
  EXPECT_GE(abi::ap_ring_events(Strategy::kParallel, 3), 3 * abi::kOwnEvents);
  EXPECT_GE(abi::ap_ring_events(Strategy::kTree, 3),
            3 * abi::kOwnEvents + abi::kChildren * abi::kControlEvents);
  // The count of events wraps at 2^32, and their places in the ring must go on from there.
  for (std::uint32_t attempts = 1; attempts <= 8; ++attempts) {
    EXPECT_TRUE(std::has_single_bit(abi::control_ring_events(7, attempts)));
    for (const auto strategy : {Strategy::kParallel, Strategy::kTree})
      EXPECT_TRUE(std::has_single_bit(abi::ap_ring_events(strategy, attempts)));
  }
}

TEST(scenario, memory_is_filled_in_by_need) {
  const auto scenario =
      parse_scenario("[machine]\nvcpus = 1000\n[bringup]\nattempts = 8\nstrategy = \"tree\"\n", "x.toml");
  ASSERT_TRUE(scenario);
  EXPECT_EQ(scenario->machine.memory_mib, default_memory_mib({1000, 8, abi::Strategy::kTree}));
}

} // namespace
} // namespace reveille::vmm
