#include "vmm/analysis/trail.hpp"

#include <algorithm>
#include <utility>

namespace reveille::vmm {

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
  std::vector<std::optional<double>> decided(seen.cpus.size());
  std::vector<std::pair<std::uint32_t, std::uint64_t>> last(seen.cpus.size()); // attempt, time stamp
  for (const CpuObservation &writer : seen.cpus)
    for (const abi::Event &event : writer.events) {
      const bool decides = event.kind == abi::EventKind::kOnline || event.kind == abi::EventKind::kFailed;
      if (!decides || event.cpu >= decided.size() || std::pair{event.attempt, event.tsc} < last[event.cpu])
        continue;
      last[event.cpu] = {event.attempt, event.tsc};
      decided[event.cpu] = seen.us(event.tsc);
    }
  return decided;
}

std::vector<double> cycle_beginnings(const Observation &seen) {
  std::vector<double> beginnings;
  if (!seen.cpus.empty())
    for (const abi::Event &event : seen.cpus[0].events)
      if (event.kind == abi::EventKind::kCycle && event.a == beginnings.size() + 1)
        beginnings.push_back(seen.us(event.tsc));
  return beginnings;
}

} // namespace reveille::vmm
