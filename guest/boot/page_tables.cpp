// The lowest level of the identity map: 4 GiB in pages of 2 MiB, made by the compiler, so
// that booting costs no loop over them.
#include "guest/boot/page_tables.hpp"

#include <array>

namespace reveille::guest::boot {

namespace {

consteval auto make_page_directories() {
  std::array<std::uint64_t, kPageDirectories * kEntriesPerTable> entries{};
  for (std::uint64_t i = 0; i < entries.size(); ++i) {
    const std::uint64_t address = i * kLargePageSize;
    entries[i] = address | PageEntry::kLargePage;
    // The devices' range, with the LAPIC's page in it, is not to be cached.
    if (address >= kDeviceRange)
      entries[i] |= PageEntry::kCacheDisable | PageEntry::kWriteThrough;
  }
  return entries;
}

} // namespace

extern "C" {
// Never written again, by any CPU. The upper levels are filled in by pvh.S.
extern const std::array<std::uint64_t, kPageDirectories * kEntriesPerTable> page_directories;
alignas(kPageSize) constinit const
    std::array<std::uint64_t, kPageDirectories *kEntriesPerTable> page_directories = make_page_directories();
alignas(kPageSize) std::uint64_t page_map[kEntriesPerTable];
alignas(kPageSize) std::uint64_t page_directory_pointers[kEntriesPerTable];

extern const std::uint64_t boot_gdt[4];
constinit const std::uint64_t boot_gdt[4] = {0, x86::SegmentDescriptor::kCode64,
                                             x86::SegmentDescriptor::kData, x86::SegmentDescriptor::kCode32};

// CPU 0's, for ever.
alignas(16) char boot_stack[kBootStackSize];
}

} // namespace reveille::guest::boot
