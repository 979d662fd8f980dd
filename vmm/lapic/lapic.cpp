#include "vmm/lapic/lapic.hpp"

#include <algorithm>
#include <limits>

namespace reveille::vmm::lapic {
namespace {

constexpr unsigned priority_class(unsigned vector) { return vector >> 4; } // 11.8.3
constexpr unsigned class_of(std::optional<std::uint8_t> vector) { return priority_class(vector.value_or(0)); }

} // namespace

Lapic::Lapic(const Identity &identity, Bus &bus, const Clock &clock)
    : identity_(identity), bus_(bus), clock_(clock),
      base_(ApicBase::kDefaultAddress | ApicBase::kEnable | (identity.is_bsp ? ApicBase::kBsp : 0)) {
  reset();
}

/// 11.4.7.1 "Local APIC State After Power-Up or Reset", and after an INIT, but for what that keeps: the ID,
/// which is fixed here, and IA32_APIC_BASE (11.4.7.3).
void Lapic::reset() {
  requested_ = in_service_ = level_ = {};
  lvt_.fill(Lvt::kMask);
  task_priority_ = logical_ = icr_low_ = icr_high_ = errors_ = error_status_ = 0;
  error_armed_ = true;
  spurious_ = Spurious::kVector;
  format_ = std::numeric_limits<std::uint32_t>::max();
  timer_ = {};
  publish();
}

void Lapic::publish() {
  Address at;
  at.id = identity_.id;
  at.mode = mode();
  at.ldr = static_cast<std::uint8_t>(logical_ >> 24);
  at.model = static_cast<std::uint8_t>(format_ >> 28);
  at.tpr = static_cast<std::uint8_t>(task_priority_);
  bus_.publish(identity_.index, at);
}

Mode Lapic::mode() const {
  if ((base_ & ApicBase::kEnable) == 0)
    return Mode::kDisabled;
  return (base_ & ApicBase::kX2apic) != 0 ? Mode::kX2apic : Mode::kXapic;
}

bool Lapic::write_base(std::uint64_t value) {
  constexpr std::uint64_t kReserved = 0x2ff | ~std::uint64_t{(1ull << 52) - 1}; // 7:0, 9, beyond any address
  const bool enables = (value & ApicBase::kEnable) != 0;
  const bool wants_x2apic = (value & ApicBase::kX2apic) != 0;
  if ((value & kReserved) != 0 || (wants_x2apic && (!identity_.offers_x2apic || !enables)))
    return false;
  if (enables && mode() == (wants_x2apic ? Mode::kDisabled : Mode::kX2apic))
    return false; // 11.12.5, figure 11-27: into x2APIC from xAPIC alone, and out to disabled alone
  base_ = value;
  if (!enables)
    reset(); // 11.4.3: what it knew is lost
  publish();
  return true;
}

Mail Lapic::take() {
  const Mail mail = inbox_.take();
  if (mail.init)
    reset();
  if (!is_enabled())
    return mail; // 11.4.7.2: no interrupts are taken while it is disabled by software
  for (unsigned vector = kFirstLegalVector; vector < 256; ++vector) {
    const auto v = static_cast<std::uint8_t>(vector);
    if (mail.edge.has(v) || mail.level.has(v))
      accept(v, mail.level.has(v));
  }
  if (mail.illegal)
    note_error(ErrorStatus::kReceiveIllegalVector);
  return mail;
}

/// 11.8.4 "Interrupt Acceptance for Fixed Interrupts".
void Lapic::accept(std::uint8_t vector, bool level) {
  if (vector < kFirstLegalVector) {
    note_error(ErrorStatus::kReceiveIllegalVector);
    return;
  }
  requested_.add(vector);
  if (level)
    level_.add(vector);
  else
    level_.remove(vector);
}

/// An interrupt of its own (11.5.1 "Local Vector Table").
void Lapic::raise(LvtIndex entry) {
  if ((lvt_[entry] & Lvt::kMask) == 0)
    accept(static_cast<std::uint8_t>(lvt_[entry] & Lvt::kVector), false);
}

/// 11.5.3 "Error Handling": one interrupt, until a write to ESR arms it again.
void Lapic::note_error(std::uint32_t bit) {
  errors_ |= bit;
  if (!error_armed_)
    return;
  error_armed_ = false;
  raise(kError);
}

/// 11.8.3.1 "Task and Processor Priorities".
std::uint8_t Lapic::processor_priority() const {
  const unsigned serving = class_of(in_service_.highest());
  return static_cast<std::uint8_t>(priority_class(task_priority_) >= serving ? task_priority_ : serving << 4);
}

std::optional<std::uint8_t> Lapic::deliverable() const {
  const auto highest = requested_.highest();
  if (class_of(highest) <= priority_class(processor_priority()))
    return std::nullopt;
  return highest;
}

void Lapic::acknowledge(std::uint8_t vector) {
  requested_.remove(vector);
  in_service_.add(vector);
}

/// 11.8.5 "Signaling Interrupt Servicing Completion". There is no I/O APIC to tell of it.
void Lapic::end_interrupt() {
  if (const auto served = in_service_.highest())
    in_service_.remove(*served);
}

void Lapic::set_cr8(std::uint8_t value) {
  if (value == cr8())
    return;
  task_priority_ = static_cast<std::uint32_t>(value & 0xf) << 4;
  publish();
}

void Lapic::advance() {
  if (timer_.expire(clock_.now_ns()))
    raise(kTimer);
}

std::optional<std::uint64_t> Lapic::due_ns() const {
  const std::uint32_t entry = lvt_[kTimer];
  const auto vector = static_cast<std::uint8_t>(entry & Lvt::kVector);
  if ((entry & Lvt::kMask) != 0 || requested_.has(vector))
    return std::nullopt;
  return timer_.due_ns();
}

} // namespace reveille::vmm::lapic
