// What became of the faults, in words.
#pragma once

#include "vmm/judge/observation.hpp"
#include "vmm/report/style.hpp"

#include <string>

namespace reveille::vmm {

/// Each fault with its firings; empty when the scenario has none.
[[nodiscard]] std::string faults_text(const Style &style, const Scenario &scenario, const Observation &seen);

/// How one firing ended: "released after 300 ms, then took the INIT", "still holds".
[[nodiscard]] std::string end_text(const Firing &firing);

} // namespace reveille::vmm
