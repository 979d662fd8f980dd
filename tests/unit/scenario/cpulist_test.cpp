#include "vmm/scenario/cpulist.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

using Cpus = std::vector<CpuIndex>;

TEST(scenario, cpulists_read_as_the_kernel_writes_them) {
  EXPECT_EQ(parse_cpulist("3", 8).value(), Cpus({3}));
  EXPECT_EQ(parse_cpulist("0-3,7", 8).value(), Cpus({0, 1, 2, 3, 7}));
  EXPECT_EQ(parse_cpulist("5,1-2", 8).value(), Cpus({1, 2, 5}));
  EXPECT_EQ(parse_cpulist("2-2,2,1-3", 8).value(), Cpus({1, 2, 3}));
}

TEST(scenario, cpulists_that_are_none_say_why) {
  EXPECT_EQ(parse_cpulist("", 8).error(), "names no CPU");
  EXPECT_EQ(parse_cpulist("1,", 8).error(), "\"1,\" ends in a comma");
  EXPECT_EQ(parse_cpulist("3-1", 8).error(), "\"3-1\" runs backwards");
  for (const char *text : {",", ",1", "1,,2", "-", "1-", "-1", "1-2-3", "a", "1 ", "+1", "0x1"})
    EXPECT_FALSE(parse_cpulist(text, 8)) << text;
  EXPECT_EQ(parse_cpulist("7-8", 8).error(), "there is no CPU 8: the machine has CPUs 0 to 7 (vcpus = 8)");
  EXPECT_EQ(parse_cpulist("1", 1).error(), "there is no CPU 1: the machine has CPU 0 alone (vcpus = 1)");
  EXPECT_FALSE(parse_cpulist("99999999999999999999", 8));
  EXPECT_FALSE(parse_cpulist("0-99999999999999999999", 8));
}

TEST(scenario, cpulists_are_written_in_ranges) {
  EXPECT_EQ(format_cpulist({}), "");
  EXPECT_EQ(format_cpulist({4}), "4");
  EXPECT_EQ(format_cpulist({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
}

} // namespace
} // namespace reveille::vmm
