// One run on the simulated machine: what the lab does with KVM, in virtual time and for as many
// CPUs as there is memory for. One seed, one result.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/judge/observation.hpp"
#include "vmm/report/progress.hpp"

#include <cstddef>
#include <functional>

namespace reveille::vmm::sim {

struct SimHooks {
  bool (*interrupted)() = nullptr; ///< asks whether to end; null: never
  /// Called now and then, by the clock of the host, with virtual times; may be empty.
  std::function<void(const ProgressView &)> progress;
};

/// What it took, beside the result.
struct SimCost {
  std::uint64_t moments = 0;      ///< that something was due at
  std::size_t most_stacks = 0;    ///< in use at once
  std::uint32_t areas_in_use = 0; ///< per-CPU areas at the end
};

/// Runs a scenario to its end; what a simulated machine does not have was refused when the scenario was read
/// (vmm/scenario/support.hpp). Fails with kUnsupported when the host has no memory for that many CPUs, with
/// kBroken when the simulator itself cannot go on.
[[nodiscard]] Result<Observation> simulate(const Scenario &scenario, const SimHooks &hooks = {},
                                           SimCost *cost = nullptr);

} // namespace reveille::vmm::sim
