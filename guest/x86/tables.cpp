#include "guest/x86/tables.hpp"

#include "guest/x86/vectors.hpp"

namespace reveille::guest::x86 {

extern "C" {
// interrupts.S: kVectorCount entries of kInterruptEntrySize bytes each, and the gates to them. The table is
// written by build_interrupt_table() alone, and read by every CPU.
extern const char interrupt_entries[];
extern Gate interrupt_table[kVectorCount];
// Handlers of the wake vector, which only acknowledge.
extern const char wake_entry_xapic[];
extern const char wake_entry_x2apic[];
}

namespace {

/// A task descriptor takes two entries (SDM vol. 3A, 8.2.3 "TSS Descriptor in 64-bit mode").
void put_task_descriptor(std::uint64_t *entry, const TaskState &task) {
  constexpr std::uint64_t kAvailableTask = 9;
  const auto base = reinterpret_cast<std::uint64_t>(&task);
  entry[0] = (sizeof(TaskState) - 1) | ((base & 0xffffff) << 16) | (kAvailableTask << 40) |
             SegmentDescriptor::kPresent | (((base >> 24) & 0xff) << 56);
  entry[1] = base >> 32;
}

} // namespace

void build_interrupt_table(bool x2apic) {
  const auto entries = reinterpret_cast<std::uint64_t>(interrupt_entries);
  const auto take_stack = [&](unsigned vector, Ist ist) {
    interrupt_table[vector] = Gate::interrupt(entries + vector * kInterruptEntrySize, ist);
  };
  take_stack(kNonMaskable, kIstNonMaskable);
  take_stack(kDoubleFault, kIstDoubleFault);
  take_stack(kMachineCheck, kIstMachineCheck);
  const auto wake = reinterpret_cast<std::uint64_t>(x2apic ? wake_entry_x2apic : wake_entry_xapic);
  interrupt_table[kWakeVector] = Gate::interrupt(wake, kIstNone);
}

void load_tables(CpuTables &tables, const std::uint64_t (&ist)[kIstStacks]) {
  tables.gdt[0] = 0;
  tables.gdt[kSelectorCode64 / 8] = SegmentDescriptor::kCode64;
  tables.gdt[kSelectorData / 8] = SegmentDescriptor::kData;
  tables.gdt[kSelectorCode32 / 8] = SegmentDescriptor::kCode32;
  put_task_descriptor(&tables.gdt[kSelectorTask / 8], tables.task);
  // The other fields of the TSS are for rings and ports that the guest does not use.
  for (unsigned i = 0; i < kIstStacks; ++i)
    tables.task.ist[i] = ist[i];
  tables.task.io_map_base = sizeof(TaskState);

  const TablePointer gdt{sizeof(tables.gdt) - 1, reinterpret_cast<std::uint64_t>(tables.gdt)};
  const TablePointer idt{sizeof(interrupt_table) - 1, reinterpret_cast<std::uint64_t>(interrupt_table)};
  // The selectors mean the same in every GDT of the guest, so that CS, DS and SS need no reload.
  asm volatile("lgdt %0\n\t"
               "ltr %w1\n\t"
               "lidt %2"
               :
               : "m"(gdt), "r"(static_cast<std::uint16_t>(kSelectorTask)), "m"(idt)
               : "memory");
}

} // namespace reveille::guest::x86
