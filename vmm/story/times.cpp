#include "vmm/story/times.hpp"

#include <algorithm>
#include <cmath>

namespace reveille::vmm {
namespace {

constexpr double kAges = 1e12; // microseconds: beyond that no run is credible

/// Time zero; of a run that did not get there, its first event.
std::uint64_t zero_of(const Observation &seen) {
  if (seen.zero_tsc != 0)
    return seen.zero_tsc;
  std::uint64_t first = UINT64_MAX;
  for (const CpuObservation &cpu : seen.cpus)
    for (const abi::Event &event : cpu.events)
      first = std::min(first, event.tsc);
  return first;
}

} // namespace

Times::Times(const Observation &seen) : most_(kAges) {
  // A run takes longer than what is between its time zero and its end.
  if (std::isfinite(seen.total_us) && seen.total_us > 0)
    most_ = std::min(most_, seen.total_us);
  Observation clock;
  clock.tsc_khz = std::max(seen.tsc_khz, 1U);
  clock.zero_tsc = zero_of(seen);
  us_.reserve(seen.cpus.size());
  for (const CpuObservation &cpu : seen.cpus) {
    double last = 0;
    std::vector<double> &ring = us_.emplace_back();
    ring.reserve(cpu.events.size());
    for (const abi::Event &event : cpu.events)
      ring.push_back(last = std::max(last, of_host(clock.us(event.tsc))));
    end_ = std::max(end_, last);
  }
  for (const Firing &firing : seen.firings)
    end_ = std::max(
        {end_, of_host(firing.began_us), firing.end == HoldEnd::kHolding ? 0 : of_host(firing.ended_us)});
}

double Times::of_host(double us) const { return std::isfinite(us) ? std::clamp(us, -most_, most_) : 0; }

} // namespace reveille::vmm
