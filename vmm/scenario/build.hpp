// From checked tables to the parts of a Scenario: what depends on more than one key.
#pragma once

#include "vmm/scenario/diagnostics.hpp"
#include "vmm/scenario/document.hpp"
#include "vmm/scenario/scenario.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace reveille::vmm {

/// What CPUs and attempts are held against. Where the file is wrong about one, it is as
/// large as it can be, so that one mistake is not reported as many.
struct Limits {
  std::uint32_t vcpus;
  std::uint32_t max_cpus; ///< CPUs that are brought up, CPU 0 included
  std::uint32_t attempts = 8;
  std::uint32_t cycles = 100'000;
  bool stops = true; ///< whether an AP that was given up is sent an INIT
};

/// Fills in machine and bringup, for the backend that the scenario has; the nodes may be null.
[[nodiscard]] Limits build_machine(const Node *machine, const Node *bringup, Scenario &scenario,
                                   Diagnostics &diag);

/// `sim` may be null.
[[nodiscard]] SimSpec build_sim(const Node *sim, const Limits &limits, Diagnostics &diag);

/// `faults` is an array of tables, or null. `seed`: what "random:K" is drawn by.
[[nodiscard]] std::vector<FaultSpec> build_faults(const Node *faults, const Limits &limits,
                                                  std::uint64_t seed, Diagnostics &diag);

/// `expect` may be null.
[[nodiscard]] ExpectSpec build_expect(const Node *expect, const Limits &limits, Diagnostics &diag);

/// Reads a number, an array or a cpulist, with `all` for "all". What is wrong with it goes
/// to the diagnostics, under `key`. Sorted.
[[nodiscard]] std::optional<std::vector<CpuIndex>> read_cpus(const Node &value, const std::string &key,
                                                             const Limits &limits,
                                                             const std::vector<CpuIndex> &all,
                                                             Diagnostics &diag);

} // namespace reveille::vmm
