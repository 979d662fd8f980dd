// A comparison as people read it. Whatever the results hold, a terminal obeys none of it.
#pragma once

#include "vmm/diff/compare.hpp"
#include "vmm/report/style.hpp"

#include <string>

namespace reveille::vmm {

/// Two runs: outcomes, verdict, invariants, times, the CPU that was active last.
[[nodiscard]] std::string comparison_text(const Style &style, const RunResult &before, const RunResult &after,
                                          const Comparison &comparison);

/// Two suites, run by run: those whose outcome differs in full, of the others how long they took.
struct SuiteComparison {
  std::string text;
  bool differs = false; ///< an outcome does, or a run is in one of the two only
};
[[nodiscard]] SuiteComparison compare_suites(const Style &style, const ResultFile &before,
                                             const ResultFile &after);

} // namespace reveille::vmm
