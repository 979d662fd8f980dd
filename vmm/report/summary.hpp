// The end of a report: what it all comes to.
#pragma once

#include "vmm/judge/verdict.hpp"
#include "vmm/report/style.hpp"

#include <string>

namespace reveille::vmm {

/// "PASS  8 of 8 online in 4.2 ms".
[[nodiscard]] std::string verdict_line(const Style &style, const Scenario &scenario, const Verdict &verdict);

/// How the outcome differs from what was expected, a line each; empty when it does not.
[[nodiscard]] std::string differences_text(const Style &style, const Verdict &verdict);

/// "17 hold, 4 not judged"; broken ones in full.
[[nodiscard]] std::string invariants_text(const Style &style, const Verdict &verdict);

/// What to try next; empty when the run passed.
[[nodiscard]] std::string advice(const Style &style, const Scenario &scenario, const Observation &seen,
                                 const Verdict &verdict);

} // namespace reveille::vmm
