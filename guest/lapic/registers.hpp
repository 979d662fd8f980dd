// The local APIC's registers and fields, by the manual's names and in its bit order
// (SDM vol. 3A, chapter 11 "Advanced Programmable Interrupt Controller (APIC)").
#pragma once

#include <cstdint>

namespace reveille::guest::lapic {

/// A register, as its byte offset in the xAPIC's page (table 11-1 "Local APIC Register Address
/// Map"). Its x2APIC MSR follows from it (11.12.1.2 "x2APIC Register Address Space").
enum class Register : std::uint32_t {
  kId = 0x020,
  kTaskPriority = 0x080,
  kEoi = 0x0b0,
  kSpuriousVector = 0x0f0,
  kInService = 0x100, ///< the first of eight
  kIcrLow = 0x300,
  kIcrHigh = 0x310, ///< xAPIC only
  kLvtTimer = 0x320,
  kLvtLint0 = 0x350,
  kInitialCount = 0x380,
  kCurrentCount = 0x390,
  kDivideConfiguration = 0x3e0,
};

[[nodiscard]] constexpr std::uint32_t offset(Register r) { return static_cast<std::uint32_t>(r); }
[[nodiscard]] constexpr std::uint32_t msr(Register r) { return 0x800 + (offset(r) >> 4); }

static_assert(msr(Register::kId) == 0x802 && msr(Register::kEoi) == 0x80b && msr(Register::kIcrLow) == 0x830);
static_assert(msr(Register::kLvtTimer) == 0x832 && msr(Register::kDivideConfiguration) == 0x83e);

/// Local APIC ID register: the ID of an xAPIC is in the top byte (figure 10-6).
[[nodiscard]] constexpr std::uint32_t xapic_id(std::uint32_t id_register) { return id_register >> 24; }
/// 0xff is the xAPIC's broadcast.
inline constexpr std::uint32_t kLastXapicId = 0xfe;

/// Interrupt command register, its lower half (11.6.1, figure 11-12). Destination mode, bit 11, is always
/// physical; trigger mode, bit 15, always edge; bit 14 is 0 for INIT level de-assert alone.
struct Icr {
  enum class Delivery : std::uint32_t { kFixed = 0, kInit = 5, kStartUp = 6 };    // 10:8
  enum class Shorthand : std::uint32_t { kNone = 0, kSelf = 1, kAllButSelf = 3 }; // 19:18
  static constexpr std::uint32_t kDeliveryStatus = 1u << 12;                      // xAPIC only: send pending

  std::uint32_t low = 0;

  constexpr Icr(Delivery delivery, std::uint8_t vector, Shorthand shorthand = Shorthand::kNone)
      : low(vector | static_cast<std::uint32_t>(delivery) << 8 | 1u << 14 |
            static_cast<std::uint32_t>(shorthand) << 18) {}

  [[nodiscard]] constexpr bool has_target() const { return (low >> 18 & 3) == 0; }
};
inline constexpr Icr kIcrInit{Icr::Delivery::kInit, 0};
[[nodiscard]] constexpr Icr icr_start_up(std::uint8_t page) { return {Icr::Delivery::kStartUp, page}; }
[[nodiscard]] constexpr Icr icr_fixed(std::uint8_t vector) { return {Icr::Delivery::kFixed, vector}; }
[[nodiscard]] constexpr Icr icr_self(std::uint8_t vector) {
  return {Icr::Delivery::kFixed, vector, Icr::Shorthand::kSelf};
}
/// To every LAPIC but the sender's.
[[nodiscard]] constexpr Icr to_all_others(Icr icr) {
  icr.low |= static_cast<std::uint32_t>(Icr::Shorthand::kAllButSelf) << 18;
  return icr;
}
static_assert(to_all_others(kIcrInit).low == 0xc4500 && !to_all_others(kIcrInit).has_target());
static_assert(kIcrInit.low == 0x4500 && icr_start_up(0x10).low == 0x4610 && kIcrInit.has_target());
static_assert(icr_fixed(0xe1).low == 0x40e1 && icr_self(0xe0).low == 0x440e0 && !icr_self(0xe0).has_target());

/// Spurious-interrupt vector register (10.9, figure 10-23).
struct Spurious {
  static constexpr std::uint32_t kSoftwareEnable = 1u << 8;
};

/// Local vector table registers (11.5.1, figure 11-8).
inline constexpr std::uint32_t kLvtMasked = 1u << 16;
struct LvtTimer {
  static constexpr std::uint32_t kOneShot = 0u << 17;
  static constexpr std::uint32_t kTscDeadline = 2u << 17;
};

/// Divide configuration register (11.5.4, figure 11-10): the timer counts at its input clock.
inline constexpr std::uint32_t kDivideBy1 = 0xb;

/// Task-priority register (11.8.3.1): only vectors of a higher class are taken.
[[nodiscard]] constexpr std::uint32_t admit_class_and_above(std::uint8_t vector) {
  return ((vector >> 4) - 1u) << 4;
}
static_assert(admit_class_and_above(0xf0) == 0xe0);

} // namespace reveille::guest::lapic
