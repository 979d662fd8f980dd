// The AP's side of core/environment.hpp.
#pragma once

#include "core/protocol/places.hpp"
#include "guest/smp/environment.hpp"
#include "guest/smp/panic.hpp"

namespace reveille::guest::smp {

class ApEnvironment : public EnvironmentBase {
public:
  using EnvironmentBase::EnvironmentBase;

  [[nodiscard]] unsigned cpu() const { return me_.cpu; }
  [[nodiscard]] unsigned control_cpu() const {
    x86::full_barrier();
    return me_.slot->sync.control.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint32_t token() const { return me_.token; }

  void at(abi::Place place) {
    me_.owed = protocol::owed_behind(place);
    if (!me_.area->is_whole())
      panic();
    ring_if_armed(place, me_.cpu, *me_.slot);
  }

  template <class Until> void wait(Until &&until) { wait_until(me_, until, kNoDeadline); }
  template <class Until> [[nodiscard]] bool wait_for(Until &&until, std::uint64_t ticks) {
    return wait_until(me_, until, now() + ticks);
  }

  void put_failure(unsigned step, int error) { me_.area->failure = {step, error}; }

  void enter_idle() {
    lapic::admit(0);
    x86::interrupts_on();
  }
  template <class Until> void idle(Until &&until) { halt_until(me_, until, kNoDeadline); }
  void leave_idle() {
    x86::interrupts_off();
    lapic::admit(x86::kWorkerVector);
  }
};
static_assert(core::ApEnvironment<ApEnvironment>);

} // namespace reveille::guest::smp
