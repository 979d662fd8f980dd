#include "vmm/scenario/nearest.hpp"

#include <gtest/gtest.h>

#include <array>

namespace reveille::vmm {
namespace {

TEST(scenario, edit_distance_counts_a_swap_once) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
  EXPECT_EQ(edit_distance("tiemout", "timeout"), 1U);
  EXPECT_EQ(edit_distance("stal", "stall"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(scenario, nearest_is_near_or_nothing) {
  constexpr std::array<std::string_view, 3> kNames{"serial", "split", "parallel"};
  EXPECT_EQ(nearest("paralel", kNames), "parallel");
  EXPECT_EQ(nearest("SPLIT", kNames), "split");
  EXPECT_EQ(nearest("bananas", kNames), "");
  EXPECT_EQ(nearest("", kNames), "");
  EXPECT_EQ(nearest(std::string(100'000, 's'), kNames), "");
  EXPECT_EQ(suggestion("bananas", kNames), "; valid here: serial, split, parallel");
}

} // namespace
} // namespace reveille::vmm
