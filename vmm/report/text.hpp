// The report that people read.
#pragma once

#include "vmm/judge/verdict.hpp"
#include "vmm/report/style.hpp"

#include <cstdio>
#include <string>

namespace reveille::vmm {

/// The whole report: title, timeline, faults, where the CPUs are that failed, what decided how long it
/// took, verdict.
[[nodiscard]] std::string report_text(const Style &style, const Scenario &scenario, const Observation &seen,
                                      const Verdict &verdict);

/// Prints it.
void print_report(std::FILE *out, const Style &style, const Scenario &scenario, const Observation &seen,
                  const Verdict &verdict);

} // namespace reveille::vmm
