// When faults held which vCPU.
#pragma once

#include "vmm/judge/observation.hpp"

#include <vector>

namespace reveille::vmm {

/// A stretch of time in which a fault kept a vCPU from its work, wholly or in part.
struct HeldSpan {
  double from_us;
  double to_us; ///< infinite: to the end of the run
  std::size_t fault;
};

/// By vCPU, in the order in which they began, none into the next one. Of faults that delay, stall,
/// freeze or throttle.
[[nodiscard]] std::vector<std::vector<HeldSpan>> holds_of(const Scenario &scenario, const Observation &seen);

} // namespace reveille::vmm
