// How a PVH guest is started: what it finds in memory and in the boot CPU's registers.
// Source: Xen, docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/kvm/vcpu.hpp"
#include "vmm/machine/guest_memory.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace reveille::vmm {

/// hvm_start_info, version 1. All addresses are guest-physical.
struct StartInfo {
  std::uint32_t magic = 0x336ec578;
  std::uint32_t version = 1;
  std::uint32_t flags = 0;
  std::uint32_t module_count = 0;
  std::uint64_t modules = 0;
  std::uint64_t command_line = 0;
  std::uint64_t rsdp = 0;
  std::uint64_t memory_map = 0;
  std::uint32_t memory_map_count = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(StartInfo) == 56);

/// hvm_memmap_table_entry. Types are those of E820.
struct MemoryMapEntry {
  static constexpr std::uint32_t kRam = 1;
  static constexpr std::uint32_t kReserved = 2;

  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint32_t type = kReserved;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(MemoryMapEntry) == 24);

/// Where the start info and what it points to lie: in the BIOS area, behind the ACPI tables,
/// so that no byte of the guest's RAM is taken.
inline constexpr std::uint64_t kStartInfoAddress = 0xf0000;
/// From here to 1 MiB nothing is the guest's to use.
inline constexpr GuestRange kFirmwareArea = {0xa0000, 0x100000};

/// RAM but for the firmware's area and the control area; in address order, without overlap.
[[nodiscard]] std::vector<MemoryMapEntry> memory_map(const GuestMemory &memory, GuestRange control_area);

/// Writes start info, memory map and command line at kStartInfoAddress. Fails with kUsage
/// when they do not fit below 1 MiB.
[[nodiscard]] Result<void> write_start_info(const GuestMemory &memory, const std::vector<MemoryMapEntry> &map,
                                            const std::string &command_line, std::uint64_t rsdp);

/// Puts a vCPU at `entry` as PVH has it: 32-bit flat protected mode, no paging, interrupts
/// off, EBX at the start info.
[[nodiscard]] Result<void> set_boot_state(Vcpu &vcpu, std::uint32_t entry);

} // namespace reveille::vmm
