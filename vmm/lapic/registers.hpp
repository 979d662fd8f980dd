// The local APIC's registers and fields, by the manual's names and in its bit order
// (SDM 3, chapter 11 "Advanced Programmable Interrupt Controller (APIC)").
#pragma once

#include <cstddef>
#include <cstdint>

namespace reveille::vmm::lapic {

/// A register, as its byte offset in the xAPIC's page (table 11-1). Its x2APIC MSR follows from
/// it (11.12.1.2 "x2APIC Register Address Space").
enum class Register : std::uint32_t {
  kId = 0x020,
  kVersion = 0x030,
  kTaskPriority = 0x080,
  kArbitrationPriority = 0x090,
  kProcessorPriority = 0x0a0,
  kEoi = 0x0b0,
  kRemoteRead = 0x0c0,
  kLogicalDestination = 0x0d0,
  kDestinationFormat = 0x0e0,
  kSpuriousVector = 0x0f0,
  kInService = 0x100,        ///< the first of eight
  kTriggerMode = 0x180,      ///< the first of eight
  kInterruptRequest = 0x200, ///< the first of eight
  kErrorStatus = 0x280,
  kIcrLow = 0x300,  ///< in x2APIC mode all 64 bits
  kIcrHigh = 0x310, ///< xAPIC only
  kLvtTimer = 0x320,
  kLvtThermal = 0x330,
  kLvtPerformance = 0x340,
  kLvtLint0 = 0x350,
  kLvtLint1 = 0x360,
  kLvtError = 0x370,
  kInitialCount = 0x380,
  kCurrentCount = 0x390,
  kDivideConfiguration = 0x3e0,
  kSelfIpi = 0x3f0, ///< x2APIC only
};

inline constexpr std::uint32_t kFirstMsr = 0x800;
inline constexpr std::uint32_t kLastMsr = 0x8ff;        ///< reserved for it, used to 0x83f
inline constexpr std::uint32_t kMsrApicBase = 0x1b;     ///< IA32_APIC_BASE
inline constexpr std::uint32_t kMsrTscDeadline = 0x6e0; ///< IA32_TSC_DEADLINE
inline constexpr std::uint32_t kPageSize = 0x1000;

/// What may be done to a register in one of the two modes.
struct Access {
  bool read;
  bool write;
};

/// One row of table 11-1 with table 11-6 "Local APIC Register Address Map Supported by x2APIC".
struct RegisterRow {
  Register reg;
  Access xapic;
  Access x2apic;
  std::uint32_t writable;  ///< bits that a write may change
  std::uint32_t read_only; ///< bits that a write leaves as they are; all others are reserved

  [[nodiscard]] constexpr std::uint32_t reserved() const { return ~(writable | read_only); }
};

/// The row of the register at `offset` (a multiple of 16); nullptr where there is none.
[[nodiscard]] const RegisterRow *find_register(std::uint32_t offset);

/// Local vector table registers (11.5.1, figure 11-8).
struct Lvt {
  static constexpr std::uint32_t kVector = 0xff;             // 7:0
  static constexpr std::uint32_t kDeliveryMode = 7u << 8;    // 10:8
  static constexpr std::uint32_t kDeliveryStatus = 1u << 12; // read-only
  static constexpr std::uint32_t kPolarity = 1u << 13;       // LINT0, LINT1
  static constexpr std::uint32_t kRemoteIrr = 1u << 14;      // LINT0, LINT1; read-only
  static constexpr std::uint32_t kTrigger = 1u << 15;        // LINT0, LINT1
  static constexpr std::uint32_t kMask = 1u << 16;           //
  static constexpr std::uint32_t kTimerMode = 3u << 17;      // 18:17, timer
  static constexpr unsigned kTimerModeShift = 17;
};

/// Spurious-interrupt vector register (11.9, figure 11-23).
struct Spurious {
  static constexpr std::uint32_t kVector = 0xff;     // 7:0
  static constexpr std::uint32_t kEnable = 1u << 8;  // APIC software enable
  static constexpr std::uint32_t kNoFocus = 1u << 9; // focus processor checking
};

/// Error status register (11.5.3, figure 11-9).
struct ErrorStatus {
  static constexpr std::uint32_t kSendIllegalVector = 1u << 5;
  static constexpr std::uint32_t kReceiveIllegalVector = 1u << 6;
  static constexpr std::uint32_t kIllegalRegister = 1u << 7; // xAPIC mode only
};

/// IA32_APIC_BASE (11.4.4, figure 11-5; 11.12.1, figure 11-26).
struct ApicBase {
  static constexpr std::uint64_t kBsp = 1u << 8;
  static constexpr std::uint64_t kX2apic = 1u << 10; // EXTD
  static constexpr std::uint64_t kEnable = 1u << 11; // EN
  static constexpr std::uint64_t kDefaultAddress = 0xfee00000;
};

/// How the LAPIC stands by IA32_APIC_BASE (11.12.1, table 11-5).
enum class Mode : std::uint8_t { kDisabled, kXapic, kX2apic };

/// The highest APIC ID that xAPIC mode can address: the next is its broadcast (11.6.2.1 "Physical
/// Destination Mode").
inline constexpr std::uint32_t kLastXapicId = 0xfe;

/// Version register (11.4.8): an integrated APIC with six LVT entries.
inline constexpr std::uint32_t kVersionValue = 0x14 | (5u << 16);

/// Vectors 0 to 15 are reserved: a LAPIC sends and takes none of them (11.5.2 "Valid Interrupt Vectors").
inline constexpr std::uint8_t kFirstLegalVector = 16;

/// Bits 31:28 of the DFR (11.6.2.2 "Logical Destination Mode").
inline constexpr std::uint8_t kFlatModel = 0xf;
inline constexpr std::uint8_t kClusterModel = 0x0;

} // namespace reveille::vmm::lapic
