#include "vmm/sim/latencies.hpp"

#include "core/protocol/guest_steps.hpp"

#include <cmath>

namespace reveille::vmm::sim {

using abi::Place;

namespace {

constexpr std::size_t index(Place place) { return static_cast<std::size_t>(place); }

constexpr std::uint64_t key(CpuIndex cpu, Place place) {
  return (std::uint64_t{cpu} << 8) | static_cast<std::uint64_t>(place);
}

/// SplitMix64's finish (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014): each bit of the result depends on each of the argument.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

constexpr double kNsPerUs = 1000;

} // namespace

Latencies::Latencies(const Scenario &scenario) : seed_(scenario.seed), jitter_(scenario.sim.jitter) {
  const SimSpec &spec = scenario.sim;
  places_[index(Place::kAlive)] = spec.boot_us * kNsPerUs;
  places_[index(Place::kKick)] = spec.kick_us * kNsPerUs;
  for (unsigned step = 0; step < protocol::kGuestSteps.size(); ++step) {
    const bool prepares = protocol::kGuestSteps[step].section == protocol::Section::kPrepare;
    places_[index(abi::step_place(step, false))] = (prepares ? spec.prepare_us : spec.step_us) * kNsPerUs;
  }
  spans_ = {spec.wake_us * kNsPerUs, spec.ipi_us * kNsPerUs, spec.serve_us * kNsPerUs,
            spec.kick_us * kNsPerUs / 3}; // one of the three that a kick sends
  for (const LatencySpec &latency : spec.latencies)
    for (const CpuIndex cpu : latency.cpus)
      overrides_[key(cpu, latency.place)] = latency.us * kNsPerUs;
}

Ns Latencies::to(CpuIndex cpu, Place place, std::uint64_t draw) const {
  double ns = places_[index(place)];
  if (!overrides_.empty())
    if (const auto it = overrides_.find(key(cpu, place)); it != overrides_.end())
      ns = it->second;
  return jittered(ns, cpu, kSpans + static_cast<unsigned>(place), draw);
}

Ns Latencies::of(Span span, CpuIndex cpu, std::uint64_t draw) const {
  return jittered(spans_[static_cast<std::size_t>(span)], cpu, static_cast<unsigned>(span), draw);
}

Ns Latencies::jittered(double ns, CpuIndex cpu, unsigned what, std::uint64_t draw) const {
  if (ns > 0 && jitter_ > 0) {
    const std::uint64_t bits = mixed(mixed(mixed(seed_) ^ ((std::uint64_t{cpu} << 16) | what)) ^ draw);
    const double fraction = static_cast<double>(bits >> 11) / static_cast<double>(1ULL << 53); // 0..1
    ns *= 1 + jitter_ * (2 * fraction - 1);
  }
  return static_cast<Ns>(std::llround(ns));
}

} // namespace reveille::vmm::sim
