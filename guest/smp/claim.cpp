// The claim: what an AP does between the trampoline and its stack. Nothing here may touch the
// stack, for there is none: everything is inlined, and the test guest.claim_has_no_stack
// looks at the instructions.
#include "core/claim.hpp"

#include "guest/lapic/lapic.hpp"
#include "guest/smp/cpus.hpp"
#include "guest/smp/trampoline.hpp"

namespace reveille::guest::smp {

namespace {

/// Leaves this code for ap_main() in ap_main.cpp, on the stack of the claimed attempt's area.
[[noreturn, gnu::always_inline]] inline void enter_on(Area &area, unsigned cpu, std::uint32_t attempt,
                                                      std::uint32_t token) {
  // As after a call: a function finds its stack 8 below a multiple of 16.
  const std::uint64_t top = reinterpret_cast<std::uint64_t>(area.stack) + Area::kStackSize - 8;
  asm volatile("movq %[top], %%rsp\n\t"
               "xorl %%ebp, %%ebp\n\t"
               "jmp ap_main"
               :
               : [top] "r"(top), "D"(cpu), "S"(attempt), "d"(token)
               : "memory");
  __builtin_unreachable();
}

/// The attempt that was claimed, 0: none. A number, because compilers keep a structure of
/// several parts on the stack.
[[gnu::always_inline]] inline std::uint32_t attempt_of(const core::Claim &claim) {
  return claim.won ? claim.word.attempt : 0;
}

} // namespace

/// In: the address of the trampoline page that this AP was started on. Interrupts off, no
/// stack, no handlers. An AP that is unknown, or comes for an attempt that is not or no
/// longer waited for, halts here and has written nothing.
extern "C" [[noreturn, gnu::section(".text.claim")]] void ap_claim(std::uint32_t page_address) {
  lapic::join_mode(); // or it could not ask for its own ID
  const std::uint32_t apic_id = lapic::id();
  const unsigned entry = apic_id < kIdCount ? id_map[apic_id] : 0u;
  if (entry != 0) {
    const unsigned cpu = entry - 1;
    const std::uint32_t page = (page_address - trampolines) / boot::kPageSize;
    const std::uint32_t attempt = attempt_of(core::claim(slots[cpu].sync.word, page, abi::kPages));
    if (attempt != 0) {
      const std::uint32_t token = slots[cpu].areas.area[page % abi::kPages];
      enter_on(areas.at(token), cpu, attempt, token);
    }
  }
  x86::halt_forever();
}

} // namespace reveille::guest::smp
