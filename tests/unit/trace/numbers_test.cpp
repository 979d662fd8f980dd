// The numbers of points and steps in an ftrace text: scripts rely on them.

#include "vmm/trace/numbers.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

using protocol::Section;

TEST(TraceNumbers, GrowOnTheWayUp) {
  const std::vector<unsigned> way = {number_of(Section::kPrepare, 0),
                                     number_of(Section::kPrepare, 1),
                                     number_of("alive"),
                                     number_of(Section::kStarting, 0),
                                     number_of(Section::kStarting, 3),
                                     number_of("started"),
                                     number_of("synced"),
                                     number_of("online"),
                                     number_of("idle"),
                                     number_of(Section::kOnline, 0),
                                     number_of("active")};
  for (std::size_t i = 1; i < way.size(); ++i)
    EXPECT_LT(way[i - 1], way[i]) << i;
  EXPECT_LT(kOffline, way.front());
}

TEST(TraceNumbers, EveryPointHasOne) {
  for (const protocol::PointRow &point : protocol::kPoints)
    EXPECT_NE(number_of(point.name), kOffline) << point.name;
}

TEST(TraceNumbers, NoStepLeavesItsSection) {
  EXPECT_EQ(number_of(Section::kPrepare, UINT32_MAX), 99U);
  EXPECT_EQ(number_of(Section::kStarting, 1'000), 199U);
  EXPECT_EQ(number_of(Section::kOnline, 68), 299U);
  EXPECT_EQ(number_of(Section::kNone, 3), kOffline);
  EXPECT_EQ(number_of("nowhere"), kOffline);
}

} // namespace
} // namespace reveille::vmm
