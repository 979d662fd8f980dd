#include "vmm/analysis/trail.hpp"

#include <algorithm>
#include <utility>

namespace reveille::vmm {
namespace {

/// The event that decided a CPU, and in whose ring it is.
struct Decision {
  const abi::Event *event = nullptr;
  CpuIndex writer = 0;
};

/// The last of each CPU.
std::vector<Decision> last_decisions(const Observation &seen) {
  std::vector<Decision> last(seen.cpus.size());
  for (CpuIndex writer = 0; writer < seen.cpus.size(); ++writer)
    for (const abi::Event &event : seen.cpus[writer].events) {
      const bool decides = event.kind == abi::EventKind::kOnline || event.kind == abi::EventKind::kFailed;
      if (!decides || event.cpu >= last.size())
        continue;
      const abi::Event *before = last[event.cpu].event;
      if (before == nullptr || std::pair{event.attempt, event.tsc} >= std::pair{before->attempt, before->tsc})
        last[event.cpu] = {&event, writer};
    }
  return last;
}

bool is_beginning(const abi::Event &event, std::size_t of_cycle) {
  return event.kind == abi::EventKind::kCycle && event.a == of_cycle;
}

} // namespace

std::vector<const abi::Event *> trail_of(const Observation &seen, CpuIndex cpu) {
  std::vector<const abi::Event *> trail;
  // CPU 0 first, and the CPU itself last: what they wrote at the same time stays in that order.
  const auto take_from = [&](CpuIndex ring) {
    for (const abi::Event &event : seen.cpus[ring].events)
      if (event.cpu == cpu)
        trail.push_back(&event);
  };
  for (CpuIndex ring = 0; ring < seen.cpus.size(); ++ring)
    if (ring != cpu)
      take_from(ring);
  if (cpu < seen.cpus.size())
    take_from(cpu);
  std::ranges::stable_sort(trail, {}, &abi::Event::tsc);
  return trail;
}

std::vector<std::optional<double>> decisions(const Observation &seen) {
  std::vector<std::optional<double>> times;
  for (const auto &[event, writer] : last_decisions(seen))
    times.push_back(event == nullptr ? std::nullopt : std::optional(seen.us(event->tsc)));
  return times;
}

std::optional<std::size_t> cycle_of_decision(const Observation &seen, CpuIndex cpu) {
  const std::vector<Decision> decided = last_decisions(seen);
  if (cpu >= decided.size() || decided[cpu].event == nullptr)
    return std::nullopt;
  const auto &[event, writer] = decided[cpu];
  // A cycle may begin in the very tick in which the last CPU of the one before was decided: simulated ones
  // do.
  std::size_t begun = 0;
  for (const abi::Event &mark : seen.cpus[0].events)
    if (is_beginning(mark, begun + 1) && (writer == 0 ? &mark < event : mark.tsc < event->tsc))
      ++begun;
  return begun;
}

std::vector<double> cycle_beginnings(const Observation &seen) {
  std::vector<double> beginnings;
  if (!seen.cpus.empty())
    for (const abi::Event &event : seen.cpus[0].events)
      if (is_beginning(event, beginnings.size() + 1))
        beginnings.push_back(seen.us(event.tsc));
  return beginnings;
}

} // namespace reveille::vmm
