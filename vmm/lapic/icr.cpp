#include "vmm/lapic/message.hpp"

namespace reveille::vmm::lapic {
namespace {

// The ICR's lower half (11.6.1, figure 11-12).
constexpr unsigned kDeliveryShift = 8;       // 10:8
constexpr std::uint32_t kLogical = 1u << 11; // destination mode
constexpr std::uint32_t kAssert = 1u << 14;  // level
constexpr std::uint32_t kLevel = 1u << 15;   // trigger mode
constexpr unsigned kShorthandShift = 18;     // 19:18

constexpr std::uint32_t kXapicBroadcast = kLastXapicId + 1;
constexpr std::uint32_t kX2apicBroadcast = 0xffffffff;

Delivery delivery_of(std::uint32_t low) { return static_cast<Delivery>(low >> kDeliveryShift & 7); }
Shorthand shorthand_of(std::uint32_t low) { return static_cast<Shorthand>(low >> kShorthandShift & 3); }

bool matches_xapic_logical(const Address &of, std::uint32_t mda) {
  if (of.model == kFlatModel)
    return (of.ldr & mda) != 0; // 11.6.2.2: flat model
  if (of.model == kClusterModel)
    return (of.ldr >> 4) == (mda >> 4) && (of.ldr & mda & 0xf) != 0;
  return false; // no other model is defined
}

} // namespace

bool Address::matches(const Destination &to) const {
  if (mode == Mode::kDisabled)
    return false;
  if (to.broadcast)
    return true;
  if (!to.logical)
    return mode == Mode::kX2apic ? to.id == id : to.id == (id & 0xff);
  if (mode == Mode::kXapic)
    return to.id <= 0xff && matches_xapic_logical(*this, to.id);
  const std::uint32_t own = derived_ldr(id);
  return (own >> 16) == (to.id >> 16) && (own & to.id & 0xffff) != 0;
}

std::uint64_t Address::packed() const {
  return std::uint64_t{id} | std::uint64_t{ldr} << 32 | std::uint64_t{tpr} << 40 |
         std::uint64_t{model} << 48 | std::uint64_t{static_cast<std::uint8_t>(mode)} << 56;
}

Address Address::unpacked(std::uint64_t bits) {
  Address of;
  of.id = static_cast<std::uint32_t>(bits);
  of.ldr = static_cast<std::uint8_t>(bits >> 32);
  of.tpr = static_cast<std::uint8_t>(bits >> 40);
  of.model = static_cast<std::uint8_t>(bits >> 48);
  of.mode = static_cast<Mode>(bits >> 56);
  return of;
}

Ipi decode_icr(std::uint32_t low, std::uint32_t high, Mode mode) {
  Ipi ipi;
  ipi.shorthand = shorthand_of(low);
  ipi.to.logical = (low & kLogical) != 0;
  ipi.to.id = mode == Mode::kX2apic ? high : high >> 24;
  ipi.to.broadcast = ipi.to.id == (mode == Mode::kX2apic ? kX2apicBroadcast : kXapicBroadcast);
  ipi.message.delivery = delivery_of(low);
  ipi.message.vector = static_cast<std::uint8_t>(low);
  ipi.message.level = false; // table 11-3, note 1: level is overridden, and it is sent as an edge
  return ipi;
}

bool is_sent(std::uint32_t low) {
  const Delivery delivery = delivery_of(low);
  if ((low & kLevel) != 0 && (low & kAssert) == 0)
    return false; // a de-assert: of an INIT, or of nothing
  switch (shorthand_of(low)) {
  case Shorthand::kSelf:
  case Shorthand::kAll:
    return delivery == Delivery::kFixed;
  case Shorthand::kNone:
  case Shorthand::kOthers:
    return delivery != Delivery::kReserved && delivery != Delivery::kExtInt;
  }
  return false;
}

} // namespace reveille::vmm::lapic
