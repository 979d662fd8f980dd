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

  void log(abi::EventKind kind, unsigned cpu, std::uint32_t attempt, std::uint64_t a, std::uint64_t b) {
    record(me_, kind, cpu, attempt, a, b);
  }

  [[nodiscard]] unsigned step_count(core::Section section) { return smp::step_count(section); }
  [[nodiscard]] const core::StepInfo &step_info(core::Section section, unsigned i) {
    return smp::step(section, i).info;
  }
  [[nodiscard]] int start_step(core::Section section, unsigned i, core::StepTarget &target) {
    return smp::step(section, i).start(target);
  }
  void undo_step(core::Section section, unsigned i, core::StepTarget &target) {
    smp::step(section, i).undo(target);
  }

protected:
  PerCpu &me_;
};

} // namespace reveille::guest::smp
