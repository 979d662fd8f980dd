// What differs between an outcome and what the scenario expects.
#pragma once

#include "vmm/judge/evidence.hpp"
#include "vmm/judge/verdict.hpp"

namespace reveille::vmm {

/// One sentence for each difference, CPUs first, in their order. `verdict` has everything
/// but its differences.
[[nodiscard]] std::vector<std::string> find_differences(const Scenario &scenario, const Evidence &evidence,
                                                        const Verdict &verdict);

} // namespace reveille::vmm
