// The local APIC's registers and fields, by the manual's names and in its bit order
// (SDM vol. 3A, chapter 10 "Advanced Programmable Interrupt Controller (APIC)").
#pragma once

#include <cstdint>

namespace reveille::guest::lapic {

/// A register, as its byte offset in the xAPIC's page (table 10-1 "Local APIC Register Address
/// Map"). Its x2APIC MSR follows from it (10.12.1.2 "x2APIC Register Address Space").
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

/// Interrupt command register (10.6.1, figure 10-12).
struct Icr {
  enum class Delivery : std::uint32_t { kFixed = 0, kInit = 5, kStartUp = 6 };
  enum class Shorthand : std::uint32_t { kNone = 0, kSelf = 1, kAllButSelf = 3 };

  std::uint8_t vector = 0;                // 7:0
  Delivery delivery = Delivery::kFixed;   // 10:8
                                          // 11 destination mode: always physical
                                          // 12 delivery status: read-only
  bool assert_level = true;               // 14; 0 is for INIT level de-assert alone
                                          // 15 trigger mode: always edge
  Shorthand shorthand = Shorthand::kNone; // 19:18

  static constexpr std::uint32_t kDeliveryStatus = 1u << 12; // xAPIC only: send pending

  [[nodiscard]] constexpr std::uint32_t low() const {
    return vector | (static_cast<std::uint32_t>(delivery) << 8) | (assert_level ? 1u << 14 : 0u) |
           (static_cast<std::uint32_t>(shorthand) << 18);
  }
};
inline constexpr Icr kIcrInit{.delivery = Icr::Delivery::kInit};
[[nodiscard]] constexpr Icr icr_start_up(std::uint8_t page) {
  return {.vector = page, .delivery = Icr::Delivery::kStartUp};
}
[[nodiscard]] constexpr Icr icr_fixed(std::uint8_t vector) { return {.vector = vector}; }
[[nodiscard]] constexpr Icr icr_self(std::uint8_t vector) {
  return {.vector = vector, .shorthand = Icr::Shorthand::kSelf};
}
/// To every LAPIC but the sender's.
[[nodiscard]] constexpr Icr to_all_others(Icr icr) {
  icr.shorthand = Icr::Shorthand::kAllButSelf;
  return icr;
}
static_assert(to_all_others(kIcrInit).low() == 0xc4500);
static_assert(kIcrInit.low() == 0x4500 && icr_start_up(0x10).low() == 0x4610);
static_assert(icr_self(0xe0).low() == 0x440e0);

/// Spurious-interrupt vector register (10.9, figure 10-23).
struct Spurious {
  static constexpr std::uint32_t kSoftwareEnable = 1u << 8;
};

/// Local vector table registers (10.5.1, figure 10-8).
inline constexpr std::uint32_t kLvtMasked = 1u << 16;
struct LvtTimer {
  static constexpr std::uint32_t kOneShot = 0u << 17;
  static constexpr std::uint32_t kTscDeadline = 2u << 17;
};

/// Divide configuration register (10.5.4, figure 10-10): the timer counts at its input clock.
inline constexpr std::uint32_t kDivideBy1 = 0xb;

/// Task-priority register (10.8.3.1): only vectors of a higher class are taken.
[[nodiscard]] constexpr std::uint32_t admit_class_and_above(std::uint8_t vector) {
  return ((vector >> 4) - 1u) << 4;
}
static_assert(admit_class_and_above(0xf0) == 0xe0);

} // namespace reveille::guest::lapic
