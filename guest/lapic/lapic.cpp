#include "guest/lapic/lapic.hpp"

#include "guest/x86/vectors.hpp"

constinit std::uint64_t lapic_mmio_base = 0xfee00000;

namespace reveille::guest::lapic {

constinit bool x2apic = false;

namespace {

/// An IPI is accepted within microseconds; what takes longer than this many looks is not
/// going to be, and sending all the same is the better failure.
constexpr unsigned kDeliveryLooks = 10'000;

void wait_for_room() {
  for (unsigned i = 0; i < kDeliveryLooks; ++i) {
    if ((read(Register::kIcrLow) & Icr::kDeliveryStatus) == 0)
      return;
    x86::pause();
  }
}

} // namespace

void adopt() {
  const std::uint64_t base = x86::rdmsr(x86::kIa32ApicBase);
  const std::uint64_t address = base & x86::ApicBase::kAddress;
  if (address != 0 && address < (1ull << 32)) // beyond it nothing is mapped
    lapic_mmio_base = address;
  x2apic = (base & x86::ApicBase::kX2Apic) != 0;
  join_mode();                            // enables it, should the firmware have left it disabled
  write(Register::kLvtLint0, kLvtMasked); // firmware has the 8259s come in here
}

std::uint32_t choose(std::uint32_t highest_id, bool listed) {
  constexpr std::uint32_t kCpuidX2Apic = 1u << 21; // CPUID.01H:ECX
  const bool able = (x86::cpuid(1).ecx & kCpuidX2Apic) != 0;
  if (!x2apic && able && (highest_id > kLastXapicId || listed)) {
    x2apic = true;
    join_mode();
  }
  return x2apic ? ~std::uint32_t{0} - 1 : kLastXapicId;
}

void admit(std::uint8_t lowest_vector) {
  write(Register::kTaskPriority, lowest_vector == 0 ? 0 : admit_class_and_above(lowest_vector));
}

void enable(std::uint8_t lowest_vector) {
  admit(lowest_vector);
  write(Register::kSpuriousVector, Spurious::kSoftwareEnable | x86::kSpuriousVector);
}

bool in_service(std::uint8_t vector) {
  const auto r = static_cast<Register>(offset(Register::kInService) + (vector / 32u) * 0x10u);
  return ((read(r) >> (vector % 32u)) & 1u) != 0;
}

namespace {

[[gnu::always_inline]] inline void write_icr(std::uint32_t apic_id, std::uint32_t low, bool has_target) {
  if (x2apic) {
    // A write to the x2APIC's ICR is not ordered behind earlier stores; the manual asks for
    // just this pair (SDM vol. 3A, 11.12.3 "MSR Access in x2APIC Mode").
    asm volatile("mfence\n\tlfence" : : : "memory");
    x86::wrmsr(msr(Register::kIcrLow), (std::uint64_t{apic_id} << 32) | low);
    return;
  }
  x86::full_barrier();
  wait_for_room();
  if (has_target)
    write(Register::kIcrHigh, apic_id << 24);
  write(Register::kIcrLow, low); // sends
}

} // namespace

void send(std::uint32_t apic_id, Icr icr) { write_icr(apic_id, icr.low, icr.has_target()); }

} // namespace reveille::guest::lapic

extern "C" [[gnu::noinline]] void lapic_send_start(std::uint32_t apic_id, std::uint32_t low) {
  reveille::guest::lapic::write_icr(apic_id, low, true);
}
