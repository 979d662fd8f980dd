#include "vmm/machine/guest_memory.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace reveille::vmm {
namespace {

constexpr std::uint64_t kMib = 1u << 20;

TEST(GuestMemory, ReadsBackWhatWasWrittenUpToTheLastByte) {
  const auto memory = GuestMemory::create(16);
  ASSERT_TRUE(memory);
  EXPECT_TRUE(memory->write<std::uint32_t>(16 * kMib - 4, 0x12345678));
  EXPECT_EQ(memory->read<std::uint32_t>(16 * kMib - 4), 0x12345678u);
  EXPECT_EQ(memory->read<std::uint8_t>(16 * kMib - 1), 0x12u);
}

TEST(GuestMemory, RefusesWhatIsNotAllRam) {
  const auto memory = GuestMemory::create(16);
  ASSERT_TRUE(memory);
  EXPECT_FALSE(memory->write<std::uint32_t>(16 * kMib - 3, 1));
  EXPECT_FALSE(memory->read<std::uint8_t>(16 * kMib));
  EXPECT_FALSE(memory->read<std::uint64_t>(UINT64_MAX - 3));
  EXPECT_FALSE(memory->bytes(0, UINT64_MAX));
  EXPECT_FALSE(memory->bytes(1, UINT64_MAX));
  EXPECT_FALSE(memory->bytes(16 * kMib + 1, 0));
  EXPECT_TRUE(memory->bytes(16 * kMib, 0));
  EXPECT_TRUE(memory->bytes(0, 16 * kMib));
  EXPECT_FALSE(memory->bytes(0, 16 * kMib + 1));
}

TEST(GuestMemory, GivesObjectsOnlyWhereTheyFitAndAreAligned) {
  const auto memory = GuestMemory::create(16);
  ASSERT_TRUE(memory);
  EXPECT_NE(memory->at<std::uint64_t>(4096), nullptr);
  EXPECT_EQ(memory->at<std::uint64_t>(4097), nullptr);
  EXPECT_EQ(memory->at<std::uint64_t>(16 * kMib), nullptr);
  EXPECT_EQ(memory->at<std::uint64_t>(0, UINT64_MAX / 4), nullptr); // count * size overflows
  EXPECT_EQ(memory->at<std::uint64_t>(0, 2 * kMib + 1), nullptr);
  EXPECT_NE(memory->at<std::uint64_t>(0, 2 * kMib), nullptr);
}

TEST(GuestMemory, LeavesTheHoleBelowFourGibWithoutRam) {
  const auto memory = GuestMemory::create(4096);
  ASSERT_TRUE(memory);
  ASSERT_EQ(memory->regions().size(), 2u);
  EXPECT_EQ(memory->low_end(), GuestMemory::kHoleBegin);
  EXPECT_EQ(memory->regions()[1].gpa, GuestMemory::kHoleEnd);
  EXPECT_EQ(memory->regions()[1].host.size(), 1024 * kMib);
  EXPECT_FALSE(memory->read<std::uint8_t>(0xfee00000));
  EXPECT_FALSE(memory->bytes(GuestMemory::kHoleBegin - 1, 2)); // across a region's end
  EXPECT_TRUE(memory->write<std::uint8_t>(5 * 1024 * kMib - 1, 7));
  EXPECT_FALSE(memory->read<std::uint8_t>(5 * 1024 * kMib));
}

TEST(GuestMemory, PointersSurviveAMove) {
  auto memory = GuestMemory::create(16);
  ASSERT_TRUE(memory);
  auto *object = memory->at<std::uint64_t>(8);
  const GuestMemory moved = std::move(*memory);
  *object = 42;
  EXPECT_EQ(moved.read<std::uint64_t>(8), 42u);
}

TEST(GuestRange, KnowsOverlapAndOverflow) {
  EXPECT_FALSE(GuestRange::sized(1, UINT64_MAX));
  EXPECT_TRUE(GuestRange::sized(0, UINT64_MAX));
  const GuestRange range{10, 20};
  EXPECT_TRUE(range.overlaps({19, 30}));
  EXPECT_FALSE(range.overlaps({20, 30}));
  EXPECT_FALSE(range.overlaps({0, 10}));
  EXPECT_TRUE(range.contains({10, 20}));
  EXPECT_FALSE(range.contains({10, 21}));
}

} // namespace
} // namespace reveille::vmm
