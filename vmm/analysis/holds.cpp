#include "vmm/analysis/holds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace reveille::vmm {
namespace {

/// Takes out what two of them have in common: it is the first one's.
void part(std::vector<HeldSpan> &holds) {
  std::ranges::stable_sort(holds, {}, &HeldSpan::from_us);
  double free_from = -std::numeric_limits<double>::infinity();
  std::erase_if(holds, [&](HeldSpan &hold) {
    hold.from_us = std::max(hold.from_us, free_from);
    if (hold.to_us <= hold.from_us)
      return true;
    free_from = hold.to_us;
    return false;
  });
}

} // namespace

std::vector<std::vector<HeldSpan>> holds_of(const Scenario &scenario, const Observation &seen) {
  std::vector<std::vector<HeldSpan>> holds(seen.cpus.size());
  for (const Firing &firing : seen.firings) {
    if (firing.vcpu >= holds.size() || firing.fault >= scenario.faults.size())
      continue;
    const FaultSpec &fault = scenario.faults[firing.fault];
    if (!fault.holds() && fault.action != Action::kThrottle)
      continue;
    const double to =
        firing.end == HoldEnd::kHolding ? std::numeric_limits<double>::infinity() : firing.ended_us;
    if (std::isfinite(firing.began_us) && !std::isnan(to))
      holds[firing.vcpu].push_back({firing.began_us, to, firing.fault});
  }
  for (auto &of_vcpu : holds)
    part(of_vcpu);
  return holds;
}

} // namespace reveille::vmm
