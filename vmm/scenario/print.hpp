// Writes a scenario as TOML that reads back to the same scenario.
#pragma once

#include "vmm/scenario/scenario.hpp"

#include <string>

namespace reveille::vmm {

/// With every default filled in, and the bound within which the run ends as a comment.
[[nodiscard]] std::string to_toml(const Scenario &scenario);

} // namespace reveille::vmm
