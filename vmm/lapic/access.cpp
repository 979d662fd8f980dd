// The registers, as they are read and written.
#include "vmm/lapic/lapic.hpp"

#include <algorithm>

namespace reveille::vmm::lapic {
namespace {

constexpr std::uint32_t offset_of(Register reg) { return static_cast<std::uint32_t>(reg); }
constexpr std::uint32_t msr_of(Register reg) { return kFirstMsr + (offset_of(reg) >> 4); }
constexpr std::uint32_t low_half(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
constexpr std::uint32_t high_half(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

static_assert(msr_of(Register::kIcrLow) == 0x830 && msr_of(Register::kSelfIpi) == 0x83f);

/// Whether `reg` is one of the eight that begin with `first`.
bool is_of_eight(Register reg, Register first) {
  return offset_of(reg) >= offset_of(first) && offset_of(reg) < offset_of(first) + 0x80;
}
std::size_t place_in_eight(Register reg) { return offset_of(reg) >> 4 & 7; }

/// The register of an x2APIC MSR; nullptr where there is none (11.12.1.2, table 11-6).
const RegisterRow *row_of_msr(std::uint32_t index) {
  return index >= kFirstMsr && index <= kLastMsr ? find_register((index - kFirstMsr) << 4) : nullptr;
}

} // namespace

bool Lapic::is_msr(std::uint32_t index) {
  return index == kMsrApicBase || index == kMsrTscDeadline || (index >= kFirstMsr && index <= kLastMsr);
}

std::optional<std::uint64_t> Lapic::read_msr(std::uint32_t index) {
  if (index == kMsrApicBase)
    return base_;
  advance(); // a deadline that has passed reads as 0, a count as what it is now
  if (index == kMsrTscDeadline)
    return timer_.deadline();
  const RegisterRow *row = row_of_msr(index);
  if (mode() != Mode::kX2apic || row == nullptr || !row->x2apic.read)
    return std::nullopt;
  const auto reg = static_cast<Register>((index - kFirstMsr) << 4);
  if (reg == Register::kIcrLow)
    return std::uint64_t{icr_high_} << 32 | icr_low_;
  return read(reg);
}

bool Lapic::write_msr(std::uint32_t index, std::uint64_t value) {
  if (index == kMsrApicBase)
    return write_base(value);
  advance(); // what was due is raised by what was set before
  if (index == kMsrTscDeadline) {
    timer_.set_deadline(value, clock_.now_ns(), clock_.tsc(), clock_.tsc_khz());
    return true;
  }
  const RegisterRow *row = row_of_msr(index);
  if (mode() != Mode::kX2apic || row == nullptr || !row->x2apic.write)
    return false;
  const bool is_icr = row->reg == Register::kIcrLow;
  // 11.12.1.3 "Reserved Bit Checking". What must be zero, as EOI, has no writable bit at all.
  if ((low_half(value) & row->reserved()) != 0 || (!is_icr && high_half(value) != 0))
    return false;
  if (is_icr)
    icr_high_ = high_half(value);
  write(row->reg, low_half(value));
  return true;
}

bool Lapic::is_at(std::uint64_t gpa) const {
  const std::uint64_t page = base_ & ~std::uint64_t{kPageSize - 1};
  return mode() == Mode::kXapic && gpa >= page && gpa - page < kPageSize;
}

std::uint64_t Lapic::read_mmio(std::uint64_t gpa, unsigned size) {
  const auto offset = static_cast<std::uint32_t>(gpa % kPageSize);
  const std::uint32_t at = offset % 16;
  if (at + size > sizeof(std::uint32_t))
    return 0;
  const RegisterRow *row = find_register(offset - at);
  if (row == nullptr || (!row->xapic.read && !row->xapic.write)) {
    note_error(ErrorStatus::kIllegalRegister);
    return 0;
  }
  advance();
  const std::uint32_t value = row->xapic.read ? read(static_cast<Register>(offset - at)) : 0;
  return value >> (8 * at) & (size == 4 ? ~0u : (1u << (8 * size)) - 1);
}

void Lapic::write_mmio(std::uint64_t gpa, unsigned size, std::uint64_t value) {
  const auto offset = static_cast<std::uint32_t>(gpa % kPageSize);
  if (size != sizeof(std::uint32_t) || offset % 16 != 0)
    return;
  const RegisterRow *row = find_register(offset);
  if (row == nullptr || (!row->xapic.read && !row->xapic.write)) {
    note_error(ErrorStatus::kIllegalRegister);
    return;
  }
  if (!row->xapic.write)
    return;
  advance();
  write(row->reg, low_half(value) & row->writable);
}

std::uint32_t Lapic::read_priority(Register reg) const {
  if (reg == Register::kTaskPriority)
    return task_priority_;
  if (reg == Register::kProcessorPriority)
    return processor_priority();
  // 11.6.2.4: the arbitration priority is the highest class of what is there.
  const unsigned wanted = requested_.highest().value_or(0) >> 4;
  const unsigned busy = std::max<unsigned>(wanted, in_service_.highest().value_or(0) >> 4);
  return (task_priority_ >> 4) >= busy ? task_priority_ : busy << 4;
}

std::uint32_t Lapic::read(Register reg) {
  if (is_of_eight(reg, Register::kInService))
    return in_service_.word(place_in_eight(reg));
  if (is_of_eight(reg, Register::kTriggerMode))
    return level_.word(place_in_eight(reg));
  if (is_of_eight(reg, Register::kInterruptRequest))
    return requested_.word(place_in_eight(reg));
  const bool is_x2apic = mode() == Mode::kX2apic;
  switch (reg) {
  case Register::kId:
    return is_x2apic ? identity_.id : identity_.id << 24;
  case Register::kVersion:
    return kVersionValue;
  case Register::kTaskPriority:
  case Register::kProcessorPriority:
  case Register::kArbitrationPriority:
    return read_priority(reg);
  case Register::kLogicalDestination:
    return is_x2apic ? derived_ldr(identity_.id) : logical_;
  case Register::kDestinationFormat:
    return format_;
  case Register::kSpuriousVector:
    return spurious_;
  case Register::kErrorStatus:
    return error_status_;
  case Register::kIcrLow:
    return icr_low_; // delivery status: idle, for nothing is ever on its way
  case Register::kIcrHigh:
    return icr_high_;
  case Register::kLvtTimer:
  case Register::kLvtThermal:
  case Register::kLvtPerformance:
  case Register::kLvtLint0:
  case Register::kLvtLint1:
  case Register::kLvtError:
    return lvt_[(offset_of(reg) - offset_of(Register::kLvtTimer)) >> 4];
  case Register::kInitialCount:
    return timer_.initial();
  case Register::kCurrentCount:
    return timer_.current(clock_.now_ns());
  case Register::kDivideConfiguration:
    return timer_.divide();
  default:
    return 0; // remote read: nobody was asked
  }
}

/// `value` has no bit that the register does not take.
void Lapic::write(Register reg, std::uint32_t value) {
  switch (reg) {
  case Register::kTaskPriority:
    task_priority_ = value;
    publish();
    return;
  case Register::kEoi:
    end_interrupt();
    return;
  case Register::kLogicalDestination:
    logical_ = value;
    publish();
    return;
  case Register::kDestinationFormat:
    format_ = value | 0x0fffffff; // 11.6.2.2, figure 11-14: the rest reads as ones
    publish();
    return;
  case Register::kSpuriousVector:
    write_spurious(value);
    return;
  case Register::kErrorStatus: // 11.5.3: the write shows what has come, whatever its value
    error_status_ = errors_;
    errors_ = 0;
    error_armed_ = true;
    return;
  case Register::kIcrLow:
    icr_low_ = value;
    send(value, icr_high_);
    return;
  case Register::kIcrHigh:
    icr_high_ = value;
    return;
  case Register::kSelfIpi: // 11.12.11 "SELF IPI Register"
    send(value | static_cast<std::uint32_t>(Shorthand::kSelf) << 18, 0);
    return;
  case Register::kInitialCount:
    timer_.set_initial(value, clock_.now_ns());
    return;
  case Register::kDivideConfiguration:
    timer_.set_divide(value, clock_.now_ns());
    return;
  default:
    write_lvt(static_cast<LvtIndex>((offset_of(reg) - offset_of(Register::kLvtTimer)) >> 4), value);
    return;
  }
}

/// 11.4.7.2 "Local APIC State After It Has Been Software Disabled": all LVT entries are masked.
void Lapic::write_spurious(std::uint32_t value) {
  spurious_ = value;
  if (!is_enabled())
    for (std::uint32_t &entry : lvt_)
      entry |= Lvt::kMask;
}

void Lapic::write_lvt(LvtIndex entry, std::uint32_t value) {
  constexpr std::uint32_t kReadOnly = Lvt::kDeliveryStatus | Lvt::kRemoteIrr;
  value &= ~kReadOnly; // idle: nothing is ever on its way
  if (!is_enabled())
    value |= Lvt::kMask; // 11.4.7.2: and cannot be unmasked
  lvt_[entry] = value;
  if (entry == kTimer)
    timer_.set_mode(static_cast<Timer::Mode>((value & Lvt::kTimerMode) >> Lvt::kTimerModeShift));
}

void Lapic::send(std::uint32_t low, std::uint32_t high) {
  if (!is_sent(low))
    return;
  const Ipi ipi = decode_icr(low, high, mode());
  const Delivery delivery = ipi.message.delivery;
  const bool has_vector = delivery == Delivery::kFixed || delivery == Delivery::kLowestPriority;
  if (has_vector && ipi.message.vector < kFirstLegalVector) {
    note_error(ErrorStatus::kSendIllegalVector); // 11.5.3: and it is not sent
    return;
  }
  bus_.send(identity_.index, ipi);
}

} // namespace reveille::vmm::lapic
