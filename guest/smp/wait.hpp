// Waiting on this CPU, halted or spinning, and ending the wait of another.
#pragma once

#include "guest/lapic/lapic.hpp"
#include "guest/lapic/timer.hpp"
#include "guest/smp/anchor.hpp"
#include "guest/smp/cpus.hpp"
#include "guest/x86/cpu.hpp"
#include "guest/x86/vectors.hpp"

#include <cstdint>
#include <limits>

namespace reveille::guest::smp {

inline constexpr std::uint64_t kNoDeadline = std::numeric_limits<std::uint64_t>::max();

/// Has the timer fire at `deadline` or before. One that is set already and fires earlier
/// will do: it is a hint, and setting one costs an exit on most hosts.
inline void time_out_at(PerCpu &me, std::uint64_t deadline) {
  if (deadline == kNoDeadline || (me.timer != 0 && me.timer <= deadline))
    return;
  me.timer = deadline;
  lapic::set_timer(deadline);
}

/// Waits until until() holds or the TSC reaches `deadline`, and returns what until() says.
/// The interrupt state is the same afterwards. In between, interrupts are on only while halted.
template <class Until> bool halt_until(PerCpu &me, Until &&until, std::uint64_t deadline) {
  const bool on = x86::interrupts_are_on();
  x86::interrupts_off();
  // Sequentially consistent: the waker stores and then reads `halting` (wake()), we store
  // `halting` and then look. One of the two sees the other.
  me.halting.store(1, std::memory_order_seq_cst);
  bool holds = until();
  while (!holds && (deadline == kNoDeadline || x86::rdtsc() < deadline)) {
    time_out_at(me, deadline);
    x86::interrupts_on_and_halt();
    x86::interrupts_off();
    holds = until();
  }
  me.halting.store(0, std::memory_order_relaxed);
  if (on)
    x86::interrupts_on();
  return holds;
}

template <class Until> bool spin_until(Until &&until, std::uint64_t deadline) {
  for (;;) {
    if (until())
      return true;
    if (deadline != kNoDeadline && x86::rdtsc() >= deadline)
      return until();
    x86::pause();
  }
}

/// As the run wants it.
template <class Until> bool wait_until(PerCpu &me, Until &&until, std::uint64_t deadline) {
  if (until())
    return true;
  return waiting == abi::Wait::kSpin ? spin_until(until, deadline) : halt_until(me, until, deadline);
}

/// Interrupts `cpu` if it may be halted.
inline void wake(unsigned cpu) {
  x86::full_barrier();
  if (anchor(cpu).per_cpu.halting.load(std::memory_order_relaxed) != 0)
    lapic::send(identities[cpu].apic_id, lapic::icr_fixed(x86::kWakeVector));
}

} // namespace reveille::guest::smp
