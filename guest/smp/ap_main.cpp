// An AP from its claim on: up to idle, or to its rest.
#include "core/ap.hpp"

#include "guest/smp/ap_environment.hpp"
#include "guest/smp/control_role.hpp"

namespace reveille::guest::smp {

namespace {

/// Up: idles, brings others up when it is left one, until it has been taken down.
void stay_up(PerCpu &me, core::ApSide<ApEnvironment> &side) {
  core::ApCall call = side.idle();
  for (; call == core::ApCall::kControl; call = side.idle())
    serve_lease(me);
  if (call == core::ApCall::kDown)
    side.go_down();
}

/// Leaves everything that belongs to the attempt: from here on it stands on its anchor alone.
[[noreturn]] void leave_for_rest(PerCpu &me, core::Word last) {
  x86::interrupts_off();
  load_anchor_tables(me);
  me.area = nullptr;
  me.token = 0;
  Anchor &home = anchor(me.cpu);
  const std::uint64_t top = reinterpret_cast<std::uint64_t>(home.stack) + sizeof(home.stack) - 8;
  asm volatile("movq %[top], %%rsp\n\t"
               "xorl %%ebp, %%ebp\n\t"
               "jmp ap_rest"
               :
               : [top] "r"(top), "D"(&me), "S"(last.bits())
               : "memory");
  __builtin_unreachable();
}

} // namespace

/// In: on the anchor's stack and tables, interrupts off.
extern "C" [[noreturn]] void ap_rest(PerCpu *me, std::uint64_t last) {
  ApEnvironment env(*me);
  core::come_to_rest(env, core::Word::from(last));
  x86::halt_forever();
}

/// In: on the stack of the claimed attempt's area, interrupts off, no handlers. From claim.cpp.
extern "C" [[noreturn]] void ap_main(unsigned cpu, std::uint32_t attempt, std::uint32_t token) {
  PerCpu &me = become(cpu, attempt, token);
  lapic::enable(x86::kWakeVector);
  ApEnvironment env(me);
  const abi::SyncLine &sync = me.slot->sync;
  env.log(
      abi::EventKind::kFound, cpu, attempt, token,
      abi::found(sync.ordinal.load(std::memory_order_relaxed), sync.cycle.load(std::memory_order_relaxed)));
  core::ApSide side(env, core::Word{attempt, core::State::kClaimed, 0}, settings);
  if (side.bring_up() == core::ApEnd::kActive)
    stay_up(me, side);
  leave_for_rest(me, side.word());
}

} // namespace reveille::guest::smp
