// The CP's side of core/environment.hpp.
#pragma once

#include "guest/smp/environment.hpp"

#include <atomic>

namespace reveille::guest::smp {

class CpEnvironment : public EnvironmentBase {
public:
  /// `kicks` counts the INIT, SIPI, SIPI sequences that were sent.
  CpEnvironment(PerCpu &me, std::atomic<std::uint32_t> &kicks);

  void at_kick(unsigned cpu) { ring_if_armed(abi::Place::kKick, cpu, slots[cpu]); }
  [[nodiscard]] unsigned cpu() const { return me_.cpu; }
  void publish_attempt(const core::StepTarget &target, std::uint32_t ordinal, std::uint32_t cycle);
  void publish_control(unsigned cpu) {
    slots[cpu].sync.control.store(me_.cpu, std::memory_order_relaxed);
    x86::full_barrier();
  }
  void freeze_steps(bool frozen) { steps.freeze(frozen); }
  [[nodiscard]] unsigned primary_of(unsigned cpu) { return smp::primary_of(cpu); }
  void kick(unsigned cpu, std::uint32_t attempt);
  [[nodiscard]] bool can_kick_all() const { return kicks_together; }
  void kick_all(std::uint32_t attempt);
  void stop(unsigned cpu, std::uint32_t attempt);

  template <class Until> void wait_until(Until &&until, std::uint64_t deadline) {
    smp::wait_until(me_, until, deadline);
  }

  [[nodiscard]] core::Failure failure(const core::StepTarget &target) {
    return areas.at(target.token).failure;
  }

private:
  template <class Send> void start(std::uint32_t attempt, Send &&send);

  std::atomic<std::uint32_t> &kicks_;
  std::uint64_t after_init_;    ///< ticks between INIT and SIPI
  std::uint64_t after_startup_; ///< ticks between SIPI and SIPI
};
static_assert(core::CpEnvironment<CpEnvironment>);

} // namespace reveille::guest::smp
