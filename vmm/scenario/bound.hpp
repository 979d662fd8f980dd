// The time within which a run ends, whatever its guest does.
#pragma once

#include "vmm/scenario/scenario.hpp"

namespace reveille::vmm {

/// Milliseconds from the start of the vCPUs. The lab ends a run then; what is undecided
/// is lost. docs/scenario.md says how it comes about.
[[nodiscard]] double run_bound_ms(const Scenario &scenario);

} // namespace reveille::vmm
