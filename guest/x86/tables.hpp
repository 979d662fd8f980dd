// Loading a CPU's GDT, TSS and IDT.
#pragma once

#include "guest/x86/descriptors.hpp"

#include <cstdint>

namespace reveille::guest::x86 {

/// Fills `tables` in and loads them on this CPU, with the IDT that all share. `ist` are the
/// tops of the stacks for NMI, double fault and machine check. Interrupts must be off.
void load_tables(CpuTables &tables, const std::uint64_t (&ist)[kIstStacks]);

/// Makes the one IDT whole, with the wake handler for that mode of the LAPIC. Called by CPU 0, before its
/// first load_tables(), and once more when another mode is chosen, before any AP is kicked.
void build_interrupt_table(bool x2apic);

} // namespace reveille::guest::x86
