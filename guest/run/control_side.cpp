#include "guest/run/control_side.hpp"

namespace reveille::guest::run {

void ControlSide::bring_up() {
  smp::ring_if_armed(abi::Place::kZero, 0, *me_.slot);
  report_.zero_tsc.store(x86::rdtsc(), std::memory_order_release);
  smp::record(me_, abi::EventKind::kZero, 0, 0, 0, 0);
  driver_.bring_up();
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
