// What LAPICs send each other, and whom it is for.
#pragma once

#include "vmm/lapic/registers.hpp"

#include <cstdint>

namespace reveille::vmm::lapic {

/// Delivery modes, as in the ICR's bits 10:8 (11.6.1, figure 11-12) and a message's data (11.11.2).
enum class Delivery : std::uint8_t {
  kFixed = 0,
  kLowestPriority = 1,
  kSmi = 2,
  kReserved = 3,
  kNmi = 4,
  kInit = 5,
  kStartup = 6,
  kExtInt = 7,
};

struct Message {
  Delivery delivery = Delivery::kFixed;
  std::uint8_t vector = 0;
  bool level = false; ///< level-triggered; kFixed and kLowestPriority alone
};

enum class Shorthand : std::uint8_t { kNone = 0, kSelf = 1, kAll = 2, kOthers = 3 };

/// Whom a message is for, without a shorthand.
struct Destination {
  std::uint32_t id = 0;   ///< physical: an APIC ID; logical: the message destination address
  bool logical = false;   ///< the destination mode
  bool broadcast = false; ///< to all: 0xff from an xAPIC, 0xffffffff from an x2APIC
};

/// What the ICR asks for.
struct Ipi {
  Shorthand shorthand = Shorthand::kNone;
  Destination to; ///< when the shorthand is kNone
  Message message;
};

/// What others need to know of a LAPIC to find out whether a message is for it.
struct Address {
  std::uint32_t id = 0;            ///< x2APIC ID; an xAPIC's is its low eight bits
  Mode mode = Mode::kXapic;        ///< what it takes depends on it
  std::uint8_t ldr = 0;            ///< bits 31:24 of an xAPIC's LDR
  std::uint8_t model = kFlatModel; ///< bits 31:28 of its DFR
  std::uint8_t tpr = 0;            ///< for the arbitration of a lowest-priority message

  /// 11.6.2 "Determining IPI Destination", 11.12.9 "ICR Operation in x2APIC Mode", 11.12.10
  /// "Determining IPI Destination in x2APIC Mode". A LAPIC that is disabled takes nothing.
  [[nodiscard]] bool matches(const Destination &to) const;

  [[nodiscard]] std::uint64_t packed() const;
  [[nodiscard]] static Address unpacked(std::uint64_t bits);
};

/// The LDR in x2APIC mode: cluster and bit, both from the ID (11.12.10.2 "Deriving Logical x2APIC ID").
[[nodiscard]] constexpr std::uint32_t derived_ldr(std::uint32_t id) {
  return ((id >> 4) << 16) | (1u << (id & 0xf));
}

/// What a write to the ICR's lower half asks for, with the destination in `high` (an xAPIC's bits
/// 63:56 are all there is; an x2APIC has 32 bits). 11.6.1 "Interrupt Command Register (ICR)".
[[nodiscard]] Ipi decode_icr(std::uint32_t low, std::uint32_t high, Mode mode);

/// Whether the LAPIC sends it at all: table 11-3 "Valid Combinations for the Pentium 4 and Intel Xeon
/// Processors' Local xAPIC Interrupt Command Register". INIT level de-assert is none (note 2 there).
[[nodiscard]] bool is_sent(std::uint32_t low);

} // namespace reveille::vmm::lapic
