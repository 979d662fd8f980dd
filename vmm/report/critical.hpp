// What decided how long a run took, and what its time went into: a few lines.
#pragma once

#include "vmm/analysis/chain.hpp"
#include "vmm/report/style.hpp"

#include <string>

namespace reveille::vmm {

/// The stretches of the critical chain; of many the longest. Empty when there is none.
[[nodiscard]] std::string chain_text(const Style &style, const Chain &chain, const StepNames &steps);

/// "where it went: prepare 59 %, boot 26 %, alive 9 %, 4 more; 3.846 ms in all": of the whole run, as
/// much as one line has room for.
[[nodiscard]] std::string blame_text(const Style &style, const Scenario &scenario, const Chain &chain,
                                     const Observation &seen);

} // namespace reveille::vmm
