#include "vmm/scenario/bound.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace reveille::vmm {
namespace {

constexpr double kBaseMs = 5'000;    // create the machine, boot CPU 0, report
constexpr double kPerCpuMs = 20;     // create, kick and bring up a healthy CPU, on a slow host
constexpr double kPerSpinnerMs = 1;  // what each spinning CPU adds to each other: they share cores
constexpr double kGraceTimeouts = 2; // a healthy CPU that is late, and proof of one that was given up

/// APs that may use up a timeout in each attempt: struck by a fault, or expected to fail. A
/// scenario that names none puts the guest to the test, and then each may.
std::size_t possibly_dead(const Scenario &s) {
  std::set<CpuIndex> cpus;
  for (const FaultSpec &fault : s.faults)
    cpus.insert(fault.cpus.begin(), fault.cpus.end());
  for (const auto &[cpu, reason] : s.expect.failed)
    cpus.insert(cpu);
  cpus.erase(0);
  return cpus.empty() ? s.bringup.max_cpus - 1 : cpus.size();
}

/// Timeouts per attempt that `dead` APs cost under the strategy.
double timeouts(const Scenario &s, std::size_t dead) {
  const bool in_windows = s.bringup.strategy == abi::Strategy::kParallel;
  if (!in_windows)
    return static_cast<double>(dead);
  if (s.bringup.window == 0)
    return dead == 0 ? 0 : 1;
  return std::ceil(static_cast<double>(dead) / s.bringup.window);
}

/// What bounded faults can hold the run up by. APs that are held at the same time count
/// once under parallel; the control CPU is held for each by itself.
double held_ms(const Scenario &s) {
  double sum = 0;
  for (const FaultSpec &fault : s.faults) {
    const auto *guest = std::get_if<GuestPlace>(&fault.at.where);
    const bool one_by_one = s.bringup.strategy != abi::Strategy::kParallel || s.bringup.window != 0 ||
                            (guest != nullptr && guest->place == abi::Place::kKick);
    const bool every_attempt = guest != nullptr && fault.attempt == 0;
    const std::uint32_t firings = every_attempt ? std::min(fault.count, s.bringup.attempts) : 1;
    sum += fault.duration_ms * firings * (one_by_one ? static_cast<double>(fault.cpus.size()) : 1.0);
  }
  return sum;
}

double latest_time_fault_ms(const Scenario &s) {
  double latest = 0;
  for (const FaultSpec &fault : s.faults)
    if (const auto *time = std::get_if<TimePlace>(&fault.at.where))
      latest = std::max(latest, time->ms);
  return latest;
}

} // namespace

double run_bound_ms(const Scenario &s) {
  const double cpus = s.machine.vcpus;
  const double per_cpu = kPerCpuMs + (s.bringup.wait == abi::Wait::kSpin ? kPerSpinnerMs * cpus : 0);
  const double dead = timeouts(s, possibly_dead(s)) * s.bringup.attempts;
  return kBaseMs + per_cpu * cpus + (dead + kGraceTimeouts) * s.bringup.timeout_ms + held_ms(s) +
         latest_time_fault_ms(s);
}

} // namespace reveille::vmm
