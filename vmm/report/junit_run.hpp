// One run as JUnit XML.
#pragma once

#include "vmm/judge/verdict.hpp"
#include "vmm/report/junit.hpp"

#include <string>

namespace reveille::vmm {

/// A whole file with one test case. `again` is a command that repeats the run, `seconds` what it all took.
[[nodiscard]] std::string junit_of_run(const Scenario &scenario, const Verdict &verdict,
                                       const std::string &again, double seconds);

/// The same of a run that never began.
[[nodiscard]] std::string junit_of_run_failed(const Scenario &scenario, const Error &error,
                                              const std::string &again, double seconds);

} // namespace reveille::vmm
