#include "guest/run/control_side.hpp"

#include "guest/run/output.hpp"

namespace reveille::guest::run {

namespace {

/// All that can be down is down: the host may read the rings while nobody writes. Without one
/// the events of a cycle that is over are given up.
void end_cycle() {
  if (control_page != nullptr) {
    smp::ring(abi::Ring::kCycle, abi::Place::kZero, 0);
    return;
  }
  for (unsigned cpu = 0; cpu < smp::seats.size(); ++cpu) {
    abi::CpuSlot &slot = smp::slots[cpu];
    slot.host.read.store(slot.ring.count.load(std::memory_order_acquire), std::memory_order_release);
  }
}

} // namespace

void ControlSide::run(std::uint32_t cycles) {
  smp::ring_if_armed(abi::Place::kZero, 0, *me_.slot);
  report_.zero_tsc.store(x86::rdtsc(), std::memory_order_release);
  smp::record(me_, abi::EventKind::kZero, 0, 0, 0, 0);
  driver_.bring_up();
  for (std::uint32_t cycle = 1; cycle < cycles; ++cycle) {
    driver_.take_down();
    end_cycle();
    driver_.bring_up();
  }
  report_.decided_tsc.store(x86::rdtsc(), std::memory_order_release);
  smp::record(me_, abi::EventKind::kDecided, 0, 0, 0, 0);
}

void ControlSide::serve() {
  for (;;) {
    driver_.poll();
    // Also in a run that spins: nothing is left that would be in a hurry.
    smp::halt_until(
        me_, [] { return smp::arrivals.any(); }, driver_.deadline());
  }
}

} // namespace reveille::guest::run
