#include "vmm/scenario/bound.hpp"

#include "vmm/scenario/places.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

namespace reveille::vmm {
namespace {

constexpr double kBaseMs = 5'000; // create the machine, boot CPU 0, report
constexpr double kPerCpuMs = 20;  // create, kick and bring up a healthy CPU, or take it down, on a slow host
constexpr double kPerSpinnerMs = 1;  // what each spinning CPU adds to each other: they share cores
constexpr double kGraceTimeouts = 2; // a healthy CPU that is late, and proof of one that was given up
constexpr double kRest = 0.25;       // timeouts, at most, between a stop and the next kick
constexpr double kPerLapse = 3;      // timeouts until a lease is seen to lapse, and its AP is lost

/// APs that may use up a timeout in each attempt: struck by a fault, or expected to fail. A
/// scenario that names none puts the guest to the test, and then each may.
double possibly_dead(const Scenario &s) {
  std::set<CpuIndex> cpus;
  for (const FaultSpec &fault : s.faults)
    cpus.insert(fault.cpus.begin(), fault.cpus.end());
  for (const auto &[cpu, reason] : s.expect.failed)
    cpus.insert(cpu);
  cpus.erase(0);
  return static_cast<double>(cpus.empty() ? s.bringup.max_cpus - 1 : cpus.size());
}

/// Timeouts that `dead` APs cost under the strategy, in one attempt of one cycle.
double timeouts(const Scenario &s, double dead) {
  const double windowfuls = s.bringup.window == 0 ? 1 : std::ceil(dead / s.bringup.window);
  switch (s.bringup.strategy) {
  case abi::Strategy::kSerial:
  case abi::Strategy::kSplit:
    return dead;
  case abi::Strategy::kTree: { // CPU 0 takes on twice as many after each round of them
    const double levels = std::bit_width(s.bringup.max_cpus - 1) + 1;
    return std::min(dead, levels + windowfuls);
  }
  case abi::Strategy::kParallel:
    break;
  }
  return std::min(dead, windowfuls);
}

/// The cycles in which APs may die.
double deadly_cycles(const Scenario &s, double dead) {
  const double cycles = s.bringup.cycles;
  if (s.faults.empty())
    return std::min(cycles, std::max(dead, 1.0));
  std::set<std::uint32_t> named;
  for (const FaultSpec &fault : s.faults) {
    if (fault.cycle == 0)
      return cycles;
    named.insert(fault.cycle);
  }
  return static_cast<double>(named.size());
}

/// Timeouts that dead APs cost in the whole run. A CPU that fails stays out: with one attempt
/// each dies once, on the way up or on the way down.
double timeouts_of_the_dead(const Scenario &s) {
  const double dead = possibly_dead(s);
  const double turns = s.bringup.attempts + (s.bringup.cycles > 1 ? 1 : 0);
  const double all = deadly_cycles(s, dead) * timeouts(s, dead) * turns;
  if (s.bringup.attempts == 1)
    return std::min(dead, all);
  return s.bringup.stop == abi::Stop::kInit ? all * (1 + kRest) : all;
}

/// In tree a fault on a CPU that is up, or that is about to kick another, may cost the lease.
double timeouts_of_leases(const Scenario &s) {
  if (s.bringup.strategy != abi::Strategy::kTree)
    return 0;
  double lapses = 0;
  for (const FaultSpec &fault : s.faults) {
    const auto *guest = std::get_if<GuestPlace>(&fault.at.where);
    if (guest == nullptr || guest->place == abi::Place::kActiveReleased || is_on_control_cpu(fault.at))
      lapses += static_cast<double>(fault.cpus.size());
  }
  return kPerLapse * lapses;
}

/// How often a fault may fire on one CPU.
double firings(const Scenario &s, const FaultSpec &fault) {
  if (std::holds_alternative<TimePlace>(fault.at.where))
    return 1;
  const double attempts = fault.attempt == 0 ? s.bringup.attempts : 1;
  const double cycles = fault.cycle == 0 ? s.bringup.cycles : 1;
  return std::min<double>(fault.count, attempts * cycles);
}

/// A flipped word may pass for an arrival: then its CPU, which rests, is given one more turn.
double turns_by_mistake(const Scenario &s) {
  double turns = 0;
  for (const FaultSpec &fault : s.faults)
    if (fault.action == Action::kFlip)
      turns += firings(s, fault) * static_cast<double>(fault.cpus.size());
  return turns;
}

/// What bounded faults can hold the run up by. APs that are held at the same time count
/// once under parallel; the control CPU is held for each by itself.
double held_ms(const Scenario &s) {
  double sum = 0;
  for (const FaultSpec &fault : s.faults) {
    const bool one_by_one = s.bringup.strategy != abi::Strategy::kParallel || s.bringup.window != 0 ||
                            is_on_control_cpu(fault.at);
    sum +=
        fault.duration_ms * firings(s, fault) * (one_by_one ? static_cast<double>(fault.cpus.size()) : 1.0);
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

/// What simulated CPUs take by [sim], one after the other.
double simulated_ms(const Scenario &s, double ways) {
  constexpr double kMostArrivals = 16; // in an attempt, up and down
  constexpr double kMostSteps = 2 * abi::kStepPlaces;
  if (s.backend != Backend::kSim)
    return 0;
  const SimSpec &sim = s.sim;
  const double each = 2 * (sim.prepare_us + sim.kick_us) + sim.wake_us + sim.boot_us +
                      kMostSteps * sim.step_us + kMostArrivals * (sim.ipi_us + sim.serve_us);
  double all = each * s.machine.vcpus;
  for (const LatencySpec &latency : s.sim.latencies)
    all += 2 * latency.us * static_cast<double>(latency.cpus.size());
  return all * (1 + sim.jitter) * s.bringup.attempts * ways / 1000;
}

} // namespace

double run_bound_ms(const Scenario &s) {
  const double cpus = s.machine.vcpus;
  const double per_cpu = kPerCpuMs + (s.bringup.wait == abi::Wait::kSpin ? kPerSpinnerMs * cpus : 0);
  const double ways = 2.0 * s.bringup.cycles - 1; // up, and down and up again
  const double turns = timeouts_of_the_dead(s) + timeouts_of_leases(s) + turns_by_mistake(s) + kGraceTimeouts;
  return kBaseMs + per_cpu * cpus * ways + turns * s.bringup.timeout_ms + held_ms(s) +
         latest_time_fault_ms(s) + simulated_ms(s, ways);
}

} // namespace reveille::vmm
