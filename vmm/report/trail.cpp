#include "vmm/report/trail.hpp"

#include <algorithm>

namespace reveille::vmm {

std::vector<const abi::Event *> trail_of(const Observation &seen, CpuIndex cpu) {
  std::vector<const abi::Event *> trail;
  const auto take_from = [&](CpuIndex ring) {
    if (ring >= seen.cpus.size())
      return;
    for (const abi::Event &event : seen.cpus[ring].events)
      if (event.cpu == cpu)
        trail.push_back(&event);
  };
  take_from(0);
  if (cpu != 0)
    take_from(cpu);
  std::ranges::stable_sort(trail, {}, &abi::Event::tsc);
  return trail;
}

std::vector<std::optional<double>> decisions(const Observation &seen) {
  std::vector<std::optional<double>> decided(seen.cpus.size());
  if (seen.cpus.empty())
    return decided;
  for (const abi::Event &event : seen.cpus[0].events)
    if ((event.kind == abi::EventKind::kOnline || event.kind == abi::EventKind::kFailed) &&
        event.cpu < decided.size())
      decided[event.cpu] = seen.us(event.tsc);
  return decided;
}

} // namespace reveille::vmm
