// A suite as JUnit XML: one testsuite, with a testcase for each run.
#pragma once

#include "vmm/report/junit.hpp"
#include "vmm/suite/outcome.hpp"
#include "vmm/suite/spool.hpp"
#include "vmm/suite/suite.hpp"

#include <string>

namespace reveille::vmm {

/// A run as what test reports have.
[[nodiscard]] JunitCase test_case_of(const SuiteOptions &options, const RunName &name,
                                     const Outcome &outcome);

/// Keeps the test cases of a suite until it is over, and writes them.
class JunitFile {
public:
  /// Errors are those of Spool::create().
  [[nodiscard]] static Result<JunitFile> create();

  /// Keeps what came of the run with that index in the plan.
  [[nodiscard]] Result<void> add(std::size_t run, const SuiteOptions &options, const RunName &name,
                                 const Outcome &outcome);

  /// Writes them in the order of the plan where `options` says, as write_output() does. `seconds` is what
  /// it all took.
  [[nodiscard]] Result<void> write(const SuiteOptions &options, double seconds);

private:
  explicit JunitFile(Spool cases) : cases_(std::move(cases)), began_(junit_timestamp()) {}

  Spool cases_;
  JunitCounts counts_;
  std::string began_;
};

} // namespace reveille::vmm
