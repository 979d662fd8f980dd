// What the way into 64-bit mode needs: one set of page tables (4 GiB, one to one), a GDT
// and CPU 0's stack.
#pragma once

#include "guest/x86/descriptors.hpp"

#include <cstdint>

namespace reveille::guest::boot {

inline constexpr std::uint32_t kPageSize = 4096;
inline constexpr std::uint64_t kLargePageSize = 2u << 20;
inline constexpr unsigned kEntriesPerTable = 512;
inline constexpr unsigned kPageDirectories = 4; // of 1 GiB each
inline constexpr std::uint32_t kBootStackSize = 16u << 10;
/// Everything below is mapped, nothing above.
inline constexpr std::uint64_t kMapped = kPageDirectories * kEntriesPerTable * kLargePageSize;

/// Whether all of it is mapped; address 0 is nobody's.
[[nodiscard]] constexpr bool is_mapped(std::uint64_t address, std::uint64_t size) {
  return address != 0 && address < kMapped && size <= kMapped - address;
}

/// From here up to 4 GiB PCs have their devices.
inline constexpr std::uint64_t kDeviceRange = 0xfec0'0000;

/// Paging-structure entries (SDM vol. 3A, 4.5 "4-Level Paging"). Accessed and dirty are set
/// from the start, so that no CPU ever writes to a table that others use.
struct PageEntry {
  static constexpr std::uint32_t kPresent = 1u << 0;
  static constexpr std::uint32_t kWritable = 1u << 1;
  static constexpr std::uint32_t kWriteThrough = 1u << 3;
  static constexpr std::uint32_t kCacheDisable = 1u << 4;
  static constexpr std::uint32_t kAccessed = 1u << 5;
  static constexpr std::uint32_t kDirty = 1u << 6;
  static constexpr std::uint32_t kPageSizeBit = 1u << 7;

  static constexpr std::uint32_t kTable = kPresent | kWritable | kAccessed;
  static constexpr std::uint32_t kLargePage = kTable | kDirty | kPageSizeBit;
};

} // namespace reveille::guest::boot
