#include "vmm/machine/pvh.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace reveille::vmm {
namespace {

constexpr std::uint64_t kCr0Pe = 1u << 0;  // SDM 3, 2.5 "Control Registers"
constexpr std::uint64_t kCr0Et = 1u << 4;  // fixed to 1
constexpr std::uint64_t kRflagsFixed = 2;  // SDM 1, 3.4.3
constexpr std::uint8_t kCodeReadable = 11; // segment types, SDM 3, 3.4.5.1, accessed
constexpr std::uint8_t kDataWritable = 3;
constexpr std::uint8_t kTss32Busy = 11; // SDM 3, 3.5
constexpr std::uint32_t kTssLimit = 0x67;

kvm_segment flat(std::uint16_t selector, std::uint8_t type) {
  kvm_segment segment = {};
  segment.limit = 0xffffffff;
  segment.selector = selector;
  segment.type = type;
  segment.present = 1;
  segment.db = 1;
  segment.s = 1;
  segment.g = 1;
  return segment;
}

kvm_segment task_state() {
  kvm_segment segment = {};
  segment.limit = kTssLimit;
  segment.type = kTss32Busy;
  segment.present = 1;
  return segment;
}

void add(std::vector<MemoryMapEntry> &map, std::uint64_t begin, std::uint64_t end, std::uint32_t type) {
  if (begin < end)
    map.push_back({begin, end - begin, type, 0});
}

} // namespace

std::vector<MemoryMapEntry> memory_map(const GuestMemory &memory, GuestRange control_area) {
  using Entry = MemoryMapEntry;
  std::vector<Entry> map;
  add(map, 0, kFirmwareArea.begin, Entry::kRam);
  add(map, kFirmwareArea.begin, kFirmwareArea.end, Entry::kReserved);
  add(map, kFirmwareArea.end, control_area.begin, Entry::kRam);
  add(map, control_area.begin, control_area.end, Entry::kReserved);
  add(map, control_area.end, memory.low_end(), Entry::kRam);
  for (const GuestMemory::Region &region : std::span(memory.regions()).subspan(1))
    add(map, region.gpa, region.gpa + region.host.size(), Entry::kRam);
  return map;
}

Result<void> write_start_info(const GuestMemory &memory, const std::vector<MemoryMapEntry> &map,
                              const std::string &command_line, std::uint64_t rsdp) {
  StartInfo info;
  info.rsdp = rsdp;
  info.memory_map = kStartInfoAddress + sizeof info + 8; // both on 16 bytes
  info.memory_map_count = static_cast<std::uint32_t>(map.size());
  const auto map_bytes = std::as_bytes(std::span(map));
  info.command_line = info.memory_map + map_bytes.size();
  const auto text = std::as_bytes(std::span(command_line.c_str(), command_line.size() + 1));
  const bool fits = info.command_line + text.size() <= kFirmwareArea.end;
  if (!fits || !memory.write(kStartInfoAddress, info) || !memory.write_bytes(info.memory_map, map_bytes) ||
      !memory.write_bytes(info.command_line, text))
    return fail(
        ExitStatus::kUsage,
        fmt::format("the PVH start info at {:#x} does not fit into the guest's memory", kStartInfoAddress));
  return {};
}

Result<void> set_boot_state(Vcpu &vcpu, std::uint32_t entry) {
  auto special = vcpu.sregs();
  if (!special)
    return tl::unexpected(special.error());
  special->cr0 = kCr0Pe | kCr0Et;
  special->cr4 = 0;
  special->efer = 0;
  special->cs = flat(0x8, kCodeReadable);
  special->ds = special->es = special->fs = special->gs = special->ss = flat(0x10, kDataWritable);
  special->tr = task_state();
  if (auto set = vcpu.set_sregs(*special); !set)
    return set;
  kvm_regs general = {};
  general.rip = entry;
  general.rbx = kStartInfoAddress;
  general.rflags = kRflagsFixed;
  return vcpu.set_regs(general);
}

} // namespace reveille::vmm
