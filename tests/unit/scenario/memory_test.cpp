#include "vmm/scenario/memory.hpp"

#include "vmm/scenario/load.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

TEST(scenario, memory_grows_with_cpus_and_attempts) {
  EXPECT_EQ(default_memory_mib(1, 1), 16U);
  EXPECT_EQ(default_memory_mib(1000, 1), 53U);
  for (std::uint32_t cpus = 1; cpus < 1024; ++cpus)
    for (std::uint32_t attempts = 1; attempts < 8; ++attempts) {
      ASSERT_LE(default_memory_mib(cpus, attempts), default_memory_mib(cpus + 1, attempts));
      ASSERT_LE(default_memory_mib(cpus, attempts), default_memory_mib(cpus, attempts + 1));
    }
}

TEST(scenario, memory_is_filled_in_by_need) {
  const auto scenario = parse_scenario("[machine]\nvcpus = 1000\n[bringup]\nattempts = 8\n", "x.toml");
  ASSERT_TRUE(scenario);
  EXPECT_EQ(scenario->machine.memory_mib, default_memory_mib(1000, 8));
}

} // namespace
} // namespace reveille::vmm
