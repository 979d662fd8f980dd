// The simulated machine's side of core/environment.hpp.
#pragma once

#include "core/arrivals.hpp"
#include "vmm/sim/steps.hpp"
#include "vmm/sim/time.hpp"

#include <atomic>

namespace reveille::vmm::sim {

class Guest;
struct Area;

using Arrivals = core::Arrivals<std::atomic<std::uint64_t>, kMostSimulatedCpus>;

/// One side's line of the TSC rendezvous.
struct TscLine {
  std::atomic<std::uint64_t> mark = 0;
  std::atomic<std::uint64_t> tsc = 0;
};

/// What both sides have. Used on the stack of the CPU that it names.
class EnvironmentBase {
public:
  EnvironmentBase(Guest &guest, CpuIndex cpu) : guest_(guest), self_(cpu) {}

  [[nodiscard]] unsigned cpu() const { return self_; }
  [[nodiscard]] std::atomic<std::uint64_t> &word(unsigned cpu);
  [[nodiscard]] std::atomic<std::uint64_t> &lease(unsigned cpu);
  [[nodiscard]] TscLine &tsc_ap(unsigned cpu);
  [[nodiscard]] TscLine &tsc_cp(unsigned cpu);
  [[nodiscard]] std::uint64_t now();
  void log(abi::EventKind kind, unsigned cpu, std::uint32_t attempt, std::uint64_t a, std::uint64_t b);
  [[nodiscard]] unsigned step_count(core::Section section);
  [[nodiscard]] const core::StepInfo &step_info(core::Section section, unsigned i);
  [[nodiscard]] int start_step(core::Section section, unsigned i, core::StepTarget &target);
  void undo_step(core::Section section, unsigned i, core::StepTarget &target);
  void wake(unsigned cpu);
  void relax();

  // --- for the bodies of steps

  void spend(Ns time);
  /// The area of an attempt, which must have it: or this CPU panics.
  [[nodiscard]] Area &area(const core::StepTarget &target);
  [[nodiscard]] std::uint32_t take_area(const core::StepTarget &target);
  void put_area(const core::StepTarget &target);
  /// Sends this CPU's worker an interrupt with work.
  void send_work();
  [[nodiscard]] std::uint64_t timeout() const;
  [[noreturn]] void panic(const char *why);
  /// Waits until until() holds; false: `deadline` came first.
  template <class Until> bool wait_by(Until &&until, Ns deadline) {
    while (!until()) {
      if (now() >= deadline)
        return false;
      halt(deadline);
    }
    return true;
  }

protected:
  // NOLINTBEGIN(cppcoreguidelines-non-private-member-variables-in-classes)
  Guest &guest_;
  CpuIndex self_;
  // NOLINTEND(cppcoreguidelines-non-private-member-variables-in-classes)

private:
  [[nodiscard]] int ask_host(unsigned number, bool done, CpuIndex cpu);
  void halt(Ns deadline);
};

class ApEnvironment : public EnvironmentBase {
public:
  using EnvironmentBase::EnvironmentBase;

  [[nodiscard]] unsigned control_cpu() const;
  [[nodiscard]] std::uint32_t token() const;
  void at(abi::Place place);
  template <class Until> void wait(Until &&until) { wait_by(until, kNever); }
  template <class Until> [[nodiscard]] bool wait_for(Until &&until, std::uint64_t ticks) {
    return wait_by(until, now() + ticks);
  }
  [[nodiscard]] Arrivals &arrivals();
  void put_failure(unsigned step, int error);
  void enter_idle();
  /// An idle CPU needs no stack: if it has to wait, this does not come back, and Guest::run()
  /// begins anew.
  template <class Until> void idle(Until &&until) {
    if (!until())
      idle_away();
  }
  void leave_idle();

private:
  void idle_away();
};

/// The arrival map as a control CPU sees it: serving what is in it takes time.
class ControlArrivals {
public:
  ControlArrivals(Guest &guest, CpuIndex self) : guest_(guest), self_(self) {}

  [[nodiscard]] bool raise(unsigned cpu);
  [[nodiscard]] bool any();
  template <class Visit> void drain(Visit &&visit) {
    map().drain([&](unsigned cpu) {
      serve(cpu);
      visit(cpu);
    });
  }

private:
  [[nodiscard]] Arrivals &map();
  void serve(CpuIndex cpu);

  Guest &guest_;
  CpuIndex self_;
};

class ControlEnvironment : public EnvironmentBase {
public:
  using EnvironmentBase::EnvironmentBase;

  void at_kick(unsigned cpu);
  void publish_attempt(const core::StepTarget &target, std::uint32_t ordinal, std::uint32_t cycle);
  void publish_control(unsigned cpu);
  void freeze_steps(bool frozen);
  [[nodiscard]] unsigned primary_of(unsigned cpu) const;
  void kick(unsigned cpu, std::uint32_t attempt);
  /// Its CPUs have latencies of their own, from a kick of their own.
  [[nodiscard]] bool can_kick_all() const { return false; }
  void kick_all(std::uint32_t) {}
  void stop(unsigned cpu, std::uint32_t attempt);
  template <class Until> void wait_until(Until &&until, std::uint64_t deadline) {
    wait_by(until, deadline);
    if (self_ != 0) // another control CPU looks at its one AP; CPU 0 drains its arrivals
      serve_one();
  }
  [[nodiscard]] ControlArrivals arrivals() { return {guest_, self_}; }
  [[nodiscard]] core::Failure failure(const core::StepTarget &target);

private:
  void serve_one();
};

static_assert(core::CpEnvironment<ControlEnvironment>);

} // namespace reveille::vmm::sim
