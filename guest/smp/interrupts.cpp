// What comes of an interrupt or exception, on the CPU that took it.
#include "guest/lapic/lapic.hpp"
#include "guest/smp/anchor.hpp"
#include "guest/smp/panic.hpp"
#include "guest/x86/vectors.hpp"

namespace reveille::guest::smp {

/// Called by x86/interrupts.S, interrupts off. Does not see the wake vector, which
/// interrupts.S serves by itself.
extern "C" void handle_interrupt(const x86::InterruptFrame *frame) {
  PerCpu &me = this_cpu();
  const auto vector = static_cast<std::uint8_t>(frame->vector);
  if (vector < x86::kExceptionCount) {
    if (vector != x86::kNonMaskable)
      panic(*frame);
    me.stray = me.stray + 1; // an NMI that nobody sent on purpose: no reason to die
    return;
  }
  switch (vector) {
  case x86::kTimerVector:
    me.timer = 0;
    break;
  case x86::kWorkerVector:
    if (me.area != nullptr)
      me.area->worker.answered = me.area->worker.answered + 1;
    break;
  default:
    me.stray = me.stray + 1;
    // The spurious vector, or one that did not come through the LAPIC, must not be
    // acknowledged (SDM vol. 3A, 11.9 "Spurious Interrupt").
    if (!lapic::in_service(vector))
      return;
  }
  lapic::end_of_interrupt();
}

} // namespace reveille::guest::smp
