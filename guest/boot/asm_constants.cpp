// Every constant that the assembly and the linker script need, exported from C++ as an
// absolute symbol, so that none is typed twice.
#include "core/abi/control_page.hpp"
#include "guest/boot/page_tables.hpp"
#include "guest/boot/start_info.hpp"
#include "guest/lapic/registers.hpp"
#include "guest/x86/descriptors.hpp"
#include "guest/x86/msr.hpp"
#include "guest/x86/vectors.hpp"

namespace reveille::guest {

namespace {

#define EXPORT(name, value)                                                                                  \
  asm volatile(".globl " #name "\n\t.set " #name ", %P0" : : "i"(std::uint64_t{value}))

[[gnu::used, gnu::noinline]] void export_constants() {
  EXPORT(kAsmPvhEntryNote, boot::kPvhEntryNote);
  EXPORT(kAsmPageSize, boot::kPageSize);
  EXPORT(kAsmPageDirectories, boot::kPageDirectories);
  EXPORT(kAsmBootStackSize, boot::kBootStackSize);
  EXPORT(kAsmTableEntry, boot::PageEntry::kTable);
  EXPORT(kAsmBootGdtLimit, 4 * sizeof(std::uint64_t) - 1);

  EXPORT(kAsmSelectorCode64, x86::kSelectorCode64);
  EXPORT(kAsmSelectorCode32, x86::kSelectorCode32);
  EXPORT(kAsmSelectorData, x86::kSelectorData);

  using x86::Cr0;
  constexpr std::uint32_t kCr0Protected =
      Cr0::kProtectionEnable | Cr0::kMonitorCoprocessor | Cr0::kExtensionType | Cr0::kNumericError;
  EXPORT(kAsmCr0Protected, kCr0Protected);
  EXPORT(kAsmCr0, kCr0Protected | Cr0::kWriteProtect | Cr0::kPaging);
  EXPORT(kAsmCr4, x86::Cr4::kPhysicalAddressExtension);
  EXPORT(kAsmEferMsr, x86::kIa32Efer);
  EXPORT(kAsmEfer, x86::Efer::kLongModeEnable);

  EXPORT(kAsmEoiOffset, lapic::offset(lapic::Register::kEoi));
  EXPORT(kAsmEoiMsr, lapic::msr(lapic::Register::kEoi));
  EXPORT(kAsmInterruptGate, x86::Gate::kInterruptGate);
  EXPORT(kAsmInterruptEntriesSize, x86::kVectorCount * x86::kInterruptEntrySize);
}

#undef EXPORT

} // namespace
} // namespace reveille::guest
