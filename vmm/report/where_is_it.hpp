// Where a CPU stands that did not come up, and what is known of why.
#pragma once

#include "vmm/judge/verdict.hpp"
#include "vmm/report/style.hpp"

#include <string>

namespace reveille::vmm {

/// How much is told of a CPU.
enum class Detail {
  kShort, ///< no registers and no code, and the last few events
  kWhole,
};

/// A paragraph for each CPU that failed; of those that failed alike, for the first few, and
/// the others by number. The first of those that failed alike is told of whole, as long as there
/// are few such kinds. Empty when all came up.
[[nodiscard]] std::string where_are_they(const Style &style, const Scenario &scenario,
                                         const Observation &seen, const Verdict &verdict);

/// The paragraph of one CPU.
[[nodiscard]] std::string where_is_it(const Style &style, const Scenario &scenario, const Observation &seen,
                                      const CpuVerdict &cpu, Detail detail);

} // namespace reveille::vmm
