#include "guest/smp/steps.hpp"

#include "core/protocol/guest_steps.hpp"
#include "guest/lapic/lapic.hpp"
#include "guest/lapic/timer.hpp"
#include "guest/smp/anchor.hpp"
#include "guest/smp/cpus.hpp"
#include "guest/smp/panic.hpp"
#include "guest/smp/wait.hpp"

#include <algorithm>
#include <array>

namespace reveille::guest::smp {

using core::StepTarget;

// Startups are step_NAME and teardowns undo_NAME, by names that a host finds in the symbol
// table: with a breakpoint there it can stop before a step, or fail it by returning for it.
extern "C" {

// PREPARE, on the CP: the attempt's own stack and tables.
int step_area(StepTarget &target) {
  target.token = areas.take();
  return target.token == 0 ? int{protocol::kNoMemory} : 0;
}
void undo_area(const StepTarget &target) {
  if (target.token != 0)
    areas.put(target.token);
}

// STARTING: exchanges the tables that it came up on for its area's own.
int step_cpu_tables(StepTarget &) {
  load_area_tables(this_cpu());
  return 0;
}
void undo_cpu_tables(const StepTarget &target) {
  // On the AP's behalf there is nothing to do: it came to rest on its anchor's tables.
  if (this_cpu().cpu == target.cpu)
    load_anchor_tables(this_cpu());
}

// STARTING: makes sure that this LAPIC is the one that is meant, and lets more through than
// the wake vector.
int step_lapic(StepTarget &target) {
  if (lapic::id() != identities[target.cpu].apic_id)
    return int{protocol::kNoSuchDevice};
  lapic::admit(x86::kWorkerVector);
  return 0;
}
void undo_lapic(const StepTarget &target) {
  // Nor here: an AP at rest takes no interrupt any more.
  if (this_cpu().cpu == target.cpu)
    lapic::admit(x86::kWakeVector);
}

// STARTING: the one-shot timer.
int step_timer(StepTarget &) {
  lapic::prepare_timer();
  return 0;
}
void undo_timer(const StepTarget &target) {
  if (this_cpu().cpu != target.cpu) // INIT stops its timer
    return;
  lapic::stop_timer();
  this_cpu().timer = 0;
}

// STARTING: whether the TSC counts, and never back. How far it is from the CP's is the
// rendezvous' to find out.
int step_tsc(StepTarget &) {
  constexpr unsigned kLooks = 1000;
  const std::uint64_t first = x86::rdtsc();
  std::uint64_t last = first;
  for (unsigned i = 0; i < kLooks && last == first; ++i) {
    x86::pause();
    last = x86::rdtsc();
  }
  return last > first ? 0 : int{protocol::kNoSuchDevice};
}
void undo_tsc(const StepTarget &) {} // it has only looked

// ONLINE: the worker takes the first piece of work, which it sends to itself.
int step_worker(StepTarget &) {
  PerCpu &me = this_cpu();
  Worker &worker = me.area->worker;
  worker.answered = 0;
  worker.asked = 1;
  lapic::send(identities[me.cpu].apic_id, lapic::icr_self(x86::kWorkerVector));
  const auto answered = [&worker] { return worker.answered == worker.asked; };
  // Half a turn: the failure is to be reported before the CP takes it for a silence.
  return wait_until(me, answered, x86::rdtsc() + settings.timeout / 2) ? 0 : int{protocol::kTimedOut};
}
void undo_worker(const StepTarget &target) {
  Worker &worker = areas.at(target.token).worker;
  worker.asked = 0;
}

} // extern "C"

namespace {

/// Of protocol::kGuestSteps, in their order.
constexpr std::array kBodies = {
    StepBody{step_area, undo_area},   StepBody{step_cpu_tables, undo_cpu_tables},
    StepBody{step_lapic, undo_lapic}, StepBody{step_timer, undo_timer},
    StepBody{step_tsc, undo_tsc},     StepBody{step_worker, undo_worker},
};
static_assert(kBodies.size() == protocol::kGuestSteps.size() && kBodies.size() <= abi::kMaxSteps);

} // namespace

constinit Steps steps;

void register_steps() {
  for (std::size_t i = 0; i < kBodies.size(); ++i) {
    const protocol::StepSpec &spec = protocol::kGuestSteps[i];
    const core::Registered done =
        steps.add(spec.section, {spec.name, spec.concurrent, spec.remote_teardown}, kBodies[i]);
    if (done != core::Registered::kYes)
      panic();
  }
}

void publish_steps(std::span<abi::StepName> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = {};
    if (i >= steps.size())
      continue;
    const Steps::Step &step = steps.at(static_cast<unsigned>(i));
    names[i].section = static_cast<std::uint8_t>(step.section);
    std::copy_n(step.info.name.begin(), std::min(step.info.name.size(), sizeof(names[i].name)),
                names[i].name);
  }
}

} // namespace reveille::guest::smp
