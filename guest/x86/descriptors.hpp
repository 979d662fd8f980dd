// Segment, task and gate descriptors of 64-bit mode, and the tables made of them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace reveille::guest::x86 {

/// Segment descriptor fields (SDM vol. 3A, 3.4.5 "Segment Descriptors"), base 0, limit 4 GiB.
struct SegmentDescriptor {
  static constexpr std::uint64_t kFlatLimit = 0x000f'0000'0000'ffff;
  /// Set from the start, so that no CPU ever writes to a table that others read.
  static constexpr std::uint64_t kAccessed = 1ull << 40;
  static constexpr std::uint64_t kWritable = 1ull << 41; // of data; of code: readable
  static constexpr std::uint64_t kCode = 1ull << 43;
  static constexpr std::uint64_t kCodeOrData = 1ull << 44;
  static constexpr std::uint64_t kPresent = 1ull << 47;
  static constexpr std::uint64_t kLong = 1ull << 53;
  static constexpr std::uint64_t kDefaultBig = 1ull << 54;
  static constexpr std::uint64_t kPageGranular = 1ull << 55;

  static constexpr std::uint64_t kFlat =
      kFlatLimit | kAccessed | kWritable | kCodeOrData | kPresent | kPageGranular;
  static constexpr std::uint64_t kCode64 = kFlat | kCode | kLong;
  static constexpr std::uint64_t kCode32 = kFlat | kCode | kDefaultBig;
  static constexpr std::uint64_t kData = kFlat | kDefaultBig;
};
static_assert(SegmentDescriptor::kCode64 == 0x00af'9b00'0000'ffff);
static_assert(SegmentDescriptor::kCode32 == 0x00cf'9b00'0000'ffff);
static_assert(SegmentDescriptor::kData == 0x00cf'9300'0000'ffff);

/// Where each descriptor is, in every GDT of the guest.
enum Selector : std::uint16_t {
  kSelectorCode64 = 0x08,
  kSelectorData = 0x10,
  kSelectorCode32 = 0x18,
  kSelectorTask = 0x20, // takes two entries
};

/// Which stack of the TSS an exception takes that may come at any instruction.
enum Ist : std::uint8_t { kIstNone = 0, kIstNonMaskable = 1, kIstDoubleFault = 2, kIstMachineCheck = 3 };
inline constexpr unsigned kIstStacks = 3;

/// 64-bit TSS (SDM vol. 3A, 8.7 "Task Management in 64-bit Mode").
struct [[gnu::packed]] TaskState {
  std::uint32_t reserved0;
  std::uint64_t rsp[3];
  std::uint64_t reserved1;
  std::uint64_t ist[7];
  std::uint64_t reserved2;
  std::uint16_t reserved3;
  std::uint16_t io_map_base;
};
static_assert(sizeof(TaskState) == 104);
static_assert(offsetof(TaskState, ist) == 36 && offsetof(TaskState, io_map_base) == 102);

/// The tables of one CPU: loaded together, freed together.
struct CpuTables {
  alignas(16) std::uint64_t gdt[6];
  alignas(16) TaskState task;
};

/// A GDT, IDT pointer as LGDT and LIDT take it in 64-bit mode.
struct [[gnu::packed]] TablePointer {
  std::uint16_t limit;
  std::uint64_t base;
};

/// 64-bit interrupt gate (SDM vol. 3A, 6.14.1 "64-Bit Mode IDT").
struct Gate {
  std::uint16_t offset_low;
  std::uint16_t selector;
  std::uint8_t ist;
  std::uint8_t type; ///< present, DPL, type
  std::uint16_t offset_middle;
  std::uint32_t offset_high;
  std::uint32_t reserved;

  static constexpr std::uint8_t kInterruptGate = 0x8e;
  [[nodiscard]] static constexpr Gate interrupt(std::uint64_t entry, std::uint8_t ist) {
    return {static_cast<std::uint16_t>(entry),
            kSelectorCode64,
            ist,
            kInterruptGate,
            static_cast<std::uint16_t>(entry >> 16),
            static_cast<std::uint32_t>(entry >> 32),
            0};
  }
};
static_assert(sizeof(Gate) == 16);

/// Bytes between two entries of interrupts.S.
inline constexpr unsigned kInterruptEntrySize = 16;

/// The stack as interrupts.S leaves it for handle_interrupt(), lowest address first.
struct InterruptFrame {
  std::uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
  std::uint64_t vector;
  std::uint64_t error;
  std::uint64_t rip, cs, rflags, rsp, ss;
};
static_assert(sizeof(InterruptFrame) == 16 * 8);

} // namespace reveille::guest::x86
