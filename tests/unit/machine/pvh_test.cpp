#include "vmm/machine/pvh.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

constexpr std::uint64_t kMib = 1u << 20;

TEST(Pvh, MemoryMapCoversAllRamOnceAndReservesOurs) {
  const auto memory = GuestMemory::create(4096);
  const GuestRange control = {GuestMemory::kHoleBegin - 2 * kMib, GuestMemory::kHoleBegin};
  const auto map = memory_map(*memory, control);
  std::uint64_t end = 0;
  std::uint64_t total = 0;
  for (const MemoryMapEntry &entry : map) {
    EXPECT_GE(entry.address, end);
    EXPECT_GT(entry.size, 0u);
    end = entry.address + entry.size;
    total += entry.size;
    const GuestRange range{entry.address, end};
    if (entry.type == MemoryMapEntry::kRam) {
      EXPECT_FALSE(range.overlaps(control));
      EXPECT_FALSE(range.overlaps(kFirmwareArea));
      EXPECT_TRUE(memory->bytes(entry.address, entry.size));
    }
  }
  EXPECT_EQ(total, 4096 * kMib);
  EXPECT_EQ(end, GuestMemory::kHoleEnd + 1024 * kMib);
}

TEST(Pvh, StartInfoLeadsToMapCommandLineAndRsdp) {
  const auto memory = GuestMemory::create(16);
  const auto map = memory_map(*memory, {15 * kMib, 16 * kMib});
  ASSERT_TRUE(write_start_info(*memory, map, "reveille.control=0xf00000", 0xe0000));
  const auto info = memory->read<StartInfo>(kStartInfoAddress).value();
  EXPECT_EQ(info.magic, 0x336ec578u);
  EXPECT_EQ(info.version, 1u);
  EXPECT_EQ(info.rsdp, 0xe0000u);
  ASSERT_EQ(info.memory_map_count, 4u);
  const auto third = memory->read<MemoryMapEntry>(info.memory_map + 2 * sizeof(MemoryMapEntry)).value();
  EXPECT_EQ(third.address, kMib);
  EXPECT_EQ(third.size, 14 * kMib);
  EXPECT_EQ(third.type, MemoryMapEntry::kRam);
  const auto text = memory->bytes(info.command_line, 26).value();
  EXPECT_STREQ(reinterpret_cast<const char *>(text.data()), "reveille.control=0xf00000");
}

TEST(Pvh, RefusesACommandLineThatDoesNotFit) {
  const auto memory = GuestMemory::create(16);
  const auto map = memory_map(*memory, {15 * kMib, 16 * kMib});
  const auto written = write_start_info(*memory, map, std::string(0x10000, 'x'), 0xe0000);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().status, ExitStatus::kUsage);
}

} // namespace
} // namespace reveille::vmm
