// The local APIC of the CPU that asks, by MMIO in xAPIC mode and by MSR in x2APIC mode.
#pragma once

#include "guest/lapic/registers.hpp"
#include "guest/x86/cpu.hpp"
#include "guest/x86/msr.hpp"

#include <cstdint>

extern "C" {
/// Address of the xAPIC's page; interrupts.S reads it. Written by lapic::adopt() alone,
/// before any AP is kicked. Mapped uncached by boot/page_tables.cpp.
extern std::uint64_t lapic_mmio_base;

/// Writes the ICR: `low` is its lower half, without a shorthand. A host may stop a CPU at its first
/// instruction, send what it likes instead, and have it return at once.
void lapic_send_start(std::uint32_t apic_id, std::uint32_t low);
}

namespace reveille::guest::lapic {

/// Whether every CPU is to run its LAPIC in x2APIC mode. Written by adopt() and choose()
/// alone, before any AP is kicked.
extern bool x2apic;

[[nodiscard, gnu::always_inline]] inline std::uint32_t read(Register r) {
  if (x2apic)
    return static_cast<std::uint32_t>(x86::rdmsr(msr(r)));
  return *reinterpret_cast<volatile std::uint32_t *>(lapic_mmio_base + offset(r));
}

[[gnu::always_inline]] inline void write(Register r, std::uint32_t value) {
  if (x2apic)
    x86::wrmsr(msr(r), value);
  else
    *reinterpret_cast<volatile std::uint32_t *>(lapic_mmio_base + offset(r)) = value;
}

/// This CPU's APIC ID, asked of the LAPIC itself: CPUID may still tell another one
/// (seen on machines whose firmware renumbered the APICs).
[[nodiscard, gnu::always_inline]] inline std::uint32_t id() {
  const std::uint32_t value = read(Register::kId);
  return x2apic ? value : xapic_id(value);
}

/// Puts this CPU's LAPIC in the mode that all are to have. Uses no stack, for it runs before
/// an AP has one. Mode changes are limited (SDM vol. 3A, 11.12.5 "x2APIC State Transitions"):
/// disabled to x2APIC goes through xAPIC, and x2APIC to xAPIC goes through disabled.
[[gnu::always_inline]] inline void join_mode() {
  using Base = x86::ApicBase;
  const std::uint64_t was = x86::rdmsr(x86::kIa32ApicBase);
  const std::uint64_t xapic = lapic_mmio_base | Base::kEnable | (was & Base::kBsp);
  if (x2apic) {
    if ((was & Base::kX2Apic) != 0)
      return;
    if ((was & Base::kEnable) == 0)
      x86::wrmsr(x86::kIa32ApicBase, xapic);
    x86::wrmsr(x86::kIa32ApicBase, xapic | Base::kX2Apic);
  } else if (was != xapic) {
    if ((was & Base::kX2Apic) != 0)
      x86::wrmsr(x86::kIa32ApicBase, was & ~(Base::kEnable | Base::kX2Apic));
    x86::wrmsr(x86::kIa32ApicBase, xapic);
  }
}

/// Finds out in which mode this CPU's LAPIC is, and shuts the firmware's interrupts out.
/// CPU 0, once, first of all.
void adopt();

/// Chooses the mode for all CPUs: x2APIC where it is on already, or needed to reach `highest_id`,
/// or `listed` in the MADT. Puts this CPU in it. Returns the highest APIC ID that can be reached.
std::uint32_t choose(std::uint32_t highest_id, bool listed);

/// Enables this CPU's LAPIC. The LVT entries are as INIT left them, masked (SDM vol. 3A,
/// 11.4.7.3 "Local APIC State After an INIT Reset"). `lowest_vector`'s priority
/// class and those above are admitted; 0 admits all.
void enable(std::uint8_t lowest_vector);
void admit(std::uint8_t lowest_vector);

inline void end_of_interrupt() { write(Register::kEoi, 0); }
/// Whether this CPU's LAPIC waits for an end_of_interrupt() of that vector.
[[nodiscard]] bool in_service(std::uint8_t vector);

/// Sends an interrupt to one APIC ID (or, with a shorthand, to whom it says). What this CPU
/// has stored before is visible to the receiver. Waits, bounded, until the LAPIC has room.
void send(std::uint32_t apic_id, Icr icr);

/// The same for an INIT or a SIPI. By a function with a name and a plain calling convention, so that a
/// host can step in between.
inline void send_start(std::uint32_t apic_id, Icr icr) { lapic_send_start(apic_id, icr.low); }

} // namespace reveille::guest::lapic
