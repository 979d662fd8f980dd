// Plans made at random: machines of up to 64 CPUs, brought up in any way, with up to six faults.
#pragma once

#include "vmm/scenario/scenario.hpp"

#include <rapidcheck.h>

#include <iosfwd>
#include <vector>

namespace reveille::explore {

inline constexpr unsigned kMostCpus = 64;
inline constexpr unsigned kMostFaults = 6;

/// Numbers to choose a fault by. Each shrinks towards 0, which is the simplest.
struct RandomFault {
  unsigned place = 0;   ///< which of the known ones, modulo how many there are
  unsigned what = 0;    ///< which action and duration of those that fit there, likewise
  unsigned cpu = 0;     ///< modulo the CPUs that are brought up
  bool all = false;     ///< it strikes all APs
  unsigned us = 0;      ///< when, if by time
  unsigned percent = 0; ///< of three turns, which a bounded hold takes
  unsigned attempt = 0; ///< less one, modulo what there can be; then every one
  unsigned cycle = 0;
};

/// A place on whose way a CPU takes that long.
struct RandomLatency {
  unsigned place = 0;
  unsigned cpu = 0;
  unsigned us = 0;
};

struct RandomPlan {
  unsigned cpus = 2;    ///< that are brought up
  unsigned spare = 0;   ///< and that are not
  unsigned threads = 0; ///< of a core: 1, 2, 4, 8
  bool primaries_first = false;
  unsigned strategy = 0;
  unsigned timeout_ms = 100; ///< at least
  unsigned window = 0;
  unsigned attempts = 1;
  unsigned cycles = 1;
  bool stops = true; ///< with an INIT
  bool halts = true;
  std::vector<unsigned> us; ///< the figures of [sim]
  unsigned jitter_percent = 0;
  std::vector<RandomLatency> latencies;
  std::vector<RandomFault> faults;
};

/// For RapidCheck: what to make, and how to show it.
[[nodiscard]] rc::Gen<RandomPlan> random_plans();
void showValue(const RandomPlan &plan, std::ostream &out);

/// The scenario that it stands for. Faults that the scenario's own check refuses beside those
/// before them are left out.
[[nodiscard]] vmm::Scenario scenario_of(const RandomPlan &plan);

} // namespace reveille::explore
