// A suite as TAP: a test point for each run.
#pragma once

#include "vmm/suite/outcome.hpp"
#include "vmm/suite/spool.hpp"
#include "vmm/suite/suite.hpp"

namespace reveille::vmm {

/// Keeps the test points of a suite until it is over, and writes them.
class TapFile {
public:
  /// Errors are those of Spool::create().
  [[nodiscard]] static Result<TapFile> create();

  /// Keeps what came of the run with that index in the plan.
  [[nodiscard]] Result<void> add(std::size_t run, const SuiteOptions &options, const RunName &name,
                                 const Outcome &outcome);

  /// Writes them in the order of the plan where `options` says, as write_output() does. Of a suite that was
  /// to have more runs than it had, the end says so.
  [[nodiscard]] Result<void> write(const SuiteOptions &options, std::size_t planned);

private:
  explicit TapFile(Spool points) : points_(std::move(points)) {}

  Spool points_;
};

} // namespace reveille::vmm
