#include "guest/smp/steps.hpp"

#include "guest/lapic/timer.hpp"
#include "guest/smp/anchor.hpp"
#include "guest/smp/cpus.hpp"
#include "guest/smp/wait.hpp"

#include <algorithm>
#include <array>

namespace reveille::guest::smp {

using core::Section;
using core::StepTarget;

// Startups are step_NAME and teardowns undo_NAME, by names that a host finds in the symbol
// table: with a breakpoint there it can stop before a step, or fail it by returning for it.
extern "C" {

// PREPARE, on the CP: the attempt's own stack and tables.
int step_area(StepTarget &target) {
  target.token = areas.take();
  return target.token == 0 ? int{Error::kNoMemory} : 0;
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

// STARTING: the one-shot timer, and the priority that lets it through.
int step_lapic_timer(StepTarget &) {
  lapic::prepare_timer();
  lapic::admit(x86::kWorkerVector);
  return 0;
}
void undo_lapic_timer(const StepTarget &target) {
  // Nor here: an AP at rest takes no interrupt any more, and INIT stops its timer.
  if (this_cpu().cpu != target.cpu)
    return;
  lapic::stop_timer();
  this_cpu().timer = 0;
  lapic::admit(x86::kWakeVector);
}

// ONLINE: the worker takes the first piece of work, which it sends to itself.
int step_worker(StepTarget &) {
  PerCpu &me = this_cpu();
  Worker &worker = me.area->worker;
  worker.answered = 0;
  worker.asked = 1;
  lapic::send(identities[me.cpu].apic_id, lapic::icr_self(x86::kWorkerVector));
  const auto answered = [&worker] { return worker.answered == worker.asked; };
  // Half a turn: the failure is to be reported before the CP takes it for a silence.
  return wait_until(me, answered, x86::rdtsc() + settings.timeout / 2) ? 0 : int{Error::kTimedOut};
}
void undo_worker(const StepTarget &target) {
  Worker &worker = areas.at(target.token).worker;
  worker.asked = 0;
}

} // extern "C"

namespace {

constexpr std::array kSteps = {
    Step{Section::kPrepare, {"area", true}, step_area, undo_area},
    Step{Section::kStarting, {"cpu-tables", true}, step_cpu_tables, undo_cpu_tables},
    Step{Section::kStarting, {"lapic-timer", true}, step_lapic_timer, undo_lapic_timer},
    Step{Section::kOnline, {"worker", true}, step_worker, undo_worker},
};
static_assert(kSteps.size() <= abi::kMaxSteps);

consteval std::size_t first_of(Section section) {
  std::size_t i = 0;
  while (i < kSteps.size() && kSteps[i].section < section)
    ++i;
  return i;
}

/// Where each section's steps begin, by the section's number; they stand in its order.
constexpr std::array kFirst = {first_of(Section::kNone), first_of(Section::kPrepare),
                               first_of(Section::kStarting), first_of(Section::kOnline), kSteps.size()};
static_assert(std::is_sorted(kSteps.begin(), kSteps.end(),
                             [](const Step &a, const Step &b) { return a.section < b.section; }));

std::size_t first(Section section, std::size_t further) {
  return kFirst[static_cast<std::size_t>(section) + further];
}

} // namespace

unsigned step_count(Section section) { return static_cast<unsigned>(first(section, 1) - first(section, 0)); }

const Step &step(Section section, unsigned i) { return kSteps[first(section, 0) + i]; }

void publish_steps(std::span<abi::StepName> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = {};
    if (i >= kSteps.size())
      continue;
    names[i].section = static_cast<std::uint8_t>(kSteps[i].section);
    const std::string_view name = kSteps[i].info.name;
    std::copy_n(name.begin(), std::min(name.size(), sizeof(names[i].name)), names[i].name);
  }
}

} // namespace reveille::guest::smp
