// The guest's side of core/environment.hpp: what both sides have.
#pragma once

#include "core/environment.hpp"
#include "guest/smp/events.hpp"
#include "guest/smp/steps.hpp"
#include "guest/smp/wait.hpp"

namespace reveille::guest::smp {

class EnvironmentBase {
public:
  explicit EnvironmentBase(PerCpu &me) : me_(me) {}

  [[nodiscard]] auto &word(unsigned cpu) { return slots[cpu].sync.word; }
  [[nodiscard]] abi::TscLine &tsc_ap(unsigned cpu) { return slots[cpu].tsc_ap; }
  [[nodiscard]] abi::TscLine &tsc_cp(unsigned cpu) { return slots[cpu].tsc_cp; }

  /// Not fenced: what hardware does out of order here is far below the resolution of the
  /// TSC rendezvous, and every event would pay for it.
  [[nodiscard]] std::uint64_t now() { return x86::rdtsc(); }
  void relax() { x86::pause(); }
  void wake(unsigned cpu) { smp::wake(cpu); }
  [[nodiscard]] Arrivals &arrivals() { return smp::arrivals; }
  [[nodiscard]] auto &lease(unsigned cpu) { return slots[cpu].sync.lease; }

  void log(abi::EventKind kind, unsigned cpu, std::uint32_t attempt, std::uint64_t a, std::uint64_t b) {
    record(me_, kind, cpu, attempt, a, b);
  }

  [[nodiscard]] unsigned step_count(core::Section section) { return steps.count(section); }
  [[nodiscard]] const core::StepInfo &step_info(core::Section section, unsigned i) {
    return steps.at(section, i).info;
  }
  [[nodiscard]] int start_step(core::Section section, unsigned i, core::StepTarget &target) {
    const unsigned number = steps.number(section, i);
    if (const int error = ask_host(number, false, target.cpu); error != 0)
      return error;
    const int error = steps.at(number).body.start(target);
    return error != 0 ? error : ask_host(number, true, target.cpu);
  }
  void undo_step(core::Section section, unsigned i, core::StepTarget &target) {
    steps.at(section, i).body.undo(target);
  }

protected:
  PerCpu &me_;

private:
  /// What the host has a step of `cpu` return, 0 if it does not care.
  static int ask_host(unsigned number, bool done, unsigned cpu) {
    if (number >= abi::kStepPlaces || !ring_if_armed(abi::step_place(number, done), cpu, slots[cpu]))
      return 0;
    return slots[cpu].host.step_error.load(std::memory_order_acquire); // it answers while we stand still
  }
};

} // namespace reveille::guest::smp
