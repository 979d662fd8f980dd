#include "vmm/machine/guest_memory.hpp"

#include "vmm/machine/pagemap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <sys/mman.h>
#include <vector>

namespace reveille::vmm {
namespace {

constexpr std::uint64_t kMib = 1u << 20;
constexpr std::uint64_t kPage = 4096;

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

/// By page, whether it is in memory.
std::vector<bool> resident(const GuestMemory &memory) {
  const std::span<std::byte> all = memory.regions().front().host;
  std::vector<unsigned char> pages(all.size() / kPage);
  EXPECT_EQ(::mincore(all.data(), all.size(), pages.data()), 0);
  std::vector<bool> is;
  for (const unsigned char page : pages)
    is.push_back((page & 1) != 0);
  return is;
}

TEST(GuestMemory, ACopyHasWhatIsThereAndTouchesNothingElse) {
  auto memory = GuestMemory::create(256);
  ASSERT_TRUE(memory);
  EXPECT_TRUE(memory->write<std::uint32_t>(0, 1));
  EXPECT_TRUE(memory->write<std::uint32_t>(100 * kMib + 12, 2));
  EXPECT_TRUE(memory->write<std::uint32_t>(100 * kMib + kPage, 3));
  EXPECT_TRUE(memory->write<std::uint32_t>(256 * kMib - 4, 4));
  const auto before = resident(*memory);
  const auto copy = memory->copy();
  ASSERT_TRUE(copy);
  EXPECT_EQ(resident(*memory), before);
  ASSERT_EQ(copy->pieces.size(), 3u);
  EXPECT_EQ(copy->pieces[1].offset, 100 * kMib);
  EXPECT_EQ(copy->pieces[1].bytes.size(), 2 * kPage);
  EXPECT_TRUE(memory->write<std::uint32_t>(50 * kMib, 5));
  EXPECT_TRUE(memory->write<std::uint32_t>(100 * kMib + 12, 6));
  ASSERT_TRUE(memory->put_back(*copy));
  EXPECT_EQ(memory->read<std::uint32_t>(0), 1u);
  EXPECT_EQ(memory->read<std::uint32_t>(50 * kMib), 0u);
  EXPECT_EQ(memory->read<std::uint32_t>(100 * kMib + 12), 2u);
  EXPECT_EQ(memory->read<std::uint32_t>(100 * kMib + kPage), 3u);
  EXPECT_EQ(memory->read<std::uint32_t>(256 * kMib - 4), 4u);
}

/// As far as a host without swap can show it; the next test does the rest where there is some.
TEST(GuestMemory, APageInSwapHasBeenTouched) {
  constexpr std::uint64_t kSoftDirty = 1ULL << 55, kFileOrShared = 1ULL << 61, kSwapped = 1ULL << 62,
                          kPresent = 1ULL << 63;
  EXPECT_TRUE(is_touched(kPresent));
  EXPECT_TRUE(is_touched(kSwapped));
  EXPECT_TRUE(is_touched(kSwapped | kSoftDirty));
  EXPECT_FALSE(is_touched(0));
  EXPECT_FALSE(is_touched(kSoftDirty | kFileOrShared));
}

TEST(GuestMemory, ACopyHasWhatIsInSwap) {
  auto memory = GuestMemory::create(16);
  ASSERT_TRUE(memory);
  const std::span<std::byte> all = memory->regions().front().host;
  std::fill(all.begin(), all.end(), std::byte{7});
  if (::madvise(all.data(), all.size(), MADV_PAGEOUT) != 0)
    GTEST_SKIP() << "this host's kernel has no MADV_PAGEOUT";
  const auto there = resident(*memory);
  if (std::count(there.begin(), there.end(), true) == static_cast<std::ptrdiff_t>(there.size()))
    GTEST_SKIP() << "this host has no swap, or has put nothing there";
  const auto copy = memory->copy();
  ASSERT_TRUE(copy);
  ASSERT_EQ(copy->pieces.size(), 1u);
  EXPECT_EQ(copy->pieces[0].bytes.size(), all.size());
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
