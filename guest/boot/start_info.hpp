// What a PVH loader passes (Xen, "x86/HVM direct boot ABI", struct hvm_start_info).
#pragma once

#include <cstddef>
#include <cstdint>

namespace reveille::guest::boot {

struct StartInfo {
  static constexpr std::uint32_t kMagic = 0x336ec578;

  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t flags;
  std::uint32_t module_count;
  std::uint64_t modules;      ///< Module[module_count]
  std::uint64_t command_line; ///< zero-terminated, 0: none
  std::uint64_t rsdp;         ///< 0: not told
  std::uint64_t memory_map;   ///< MemoryMapEntry[]; from version 1
  std::uint32_t memory_map_entries;
  std::uint32_t reserved;
};
static_assert(sizeof(StartInfo) == 56 && offsetof(StartInfo, memory_map) == 40);

struct Module {
  std::uint64_t address;
  std::uint64_t size;
  std::uint64_t command_line;
  std::uint64_t reserved;
};
static_assert(sizeof(Module) == 32);

struct MemoryMapEntry {
  static constexpr std::uint32_t kRam = 1;

  std::uint64_t address;
  std::uint64_t size;
  std::uint32_t type;
  std::uint32_t reserved;
};
static_assert(sizeof(MemoryMapEntry) == 24);

/// The ELF note by which a loader finds the entry (XEN_ELFNOTE_PHYS32_ENTRY).
inline constexpr std::uint32_t kPvhEntryNote = 18;

} // namespace reveille::guest::boot
