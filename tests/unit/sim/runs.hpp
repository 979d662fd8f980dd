// Runs on the simulated machine, for tests: scenarios made in code, and what came of them.
#pragma once

#include "vmm/judge/verdict.hpp"
#include "vmm/sim/simulation.hpp"

#include <gtest/gtest.h>

#include <string>

namespace reveille::vmm::sim {

inline Scenario scenario_of(CpuIndex vcpus, abi::Strategy strategy = abi::Strategy::kParallel) {
  Scenario s;
  s.file = s.title = "a test's";
  s.machine.vcpus = s.bringup.max_cpus = vcpus;
  s.bringup.strategy = strategy;
  s.bringup.timeout_ms = 100;
  for (CpuIndex cpu = 0; cpu < vcpus; ++cpu)
    s.expect.online.push_back(cpu);
  return s;
}

struct Ran {
  Observation seen;
  Verdict verdict;
  SimCost cost;

  /// "online", "not attempted", or the reason.
  [[nodiscard]] std::string outcome(CpuIndex cpu) const {
    const CpuVerdict &of = verdict.cpus[cpu];
    return of.outcome == CpuOutcome::kOnline   ? "online"
           : of.outcome == CpuOutcome::kFailed ? of.reason
                                               : "not attempted";
  }
};

inline Ran run(const Scenario &scenario) {
  Ran ran;
  auto seen = simulate(scenario, {}, &ran.cost);
  if (!seen) {
    ADD_FAILURE() << seen.error().message;
    return ran;
  }
  ran.seen = std::move(*seen);
  ran.verdict = judge(scenario, ran.seen);
  return ran;
}

/// That every invariant which is judged holds.
inline void expect_sound(const Ran &ran) {
  for (const InvariantVerdict &invariant : ran.verdict.invariants)
    EXPECT_NE(invariant.holds, std::optional(false)) << invariant.name << ": " << invariant.evidence;
}

} // namespace reveille::vmm::sim
