// Who brought whom up, where it was not the control CPU alone.
#pragma once

#include "vmm/judge/observation.hpp"
#include "vmm/report/style.hpp"

#include <string>

namespace reveille::vmm {

/// Who kicked whom last, and what became of leases that lapsed; empty unless the strategy is tree.
[[nodiscard]] std::string tree_text(const Style &style, const Scenario &scenario, const Observation &seen);

} // namespace reveille::vmm
