// What a strategy allows, held against the log of a run.
#pragma once

#include "vmm/judge/observation.hpp"

#include <string>
#include <vector>

namespace reveille::explore {

/// More APs in flight than the window or the strategy allows, more than one being finished where
/// only one may be, an AP taken back from a control CPU that cannot have let go of it. In
/// sentences; empty: all is well.
[[nodiscard]] std::vector<std::string> broken_limits(const vmm::Scenario &scenario,
                                                     const vmm::Observation &seen);

} // namespace reveille::explore
