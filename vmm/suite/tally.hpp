// The account of a suite: how many runs came to what, of which scenario.
#pragma once

#include "vmm/suite/outcome.hpp"
#include "vmm/suite/plan.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace reveille::vmm {

/// How many runs had each verdict.
class Counts {
public:
  void add(SuiteVerdict verdict) { ++counts_[static_cast<std::size_t>(verdict)]; }
  [[nodiscard]] std::size_t of(SuiteVerdict verdict) const {
    return counts_[static_cast<std::size_t>(verdict)];
  }
  [[nodiscard]] std::size_t all() const;
  [[nodiscard]] std::size_t failed() const; ///< those that count in the failure rate
  /// The verdict that decides the exit status: interrupted, broken, invalid, fail, unsupported,
  /// pass, the first of them that there is. Pass when there is none at all.
  [[nodiscard]] SuiteVerdict worst() const;

private:
  std::array<std::size_t, kSuiteVerdicts.size()> counts_{};
};

/// A run that failed, and what it takes to repeat it.
struct Failure {
  std::size_t run = 0; ///< its index in the plan, and among the results
  RunSpec spec;
  SuiteVerdict verdict = SuiteVerdict::kFail;
  std::string difference;
};

struct ScenarioTally {
  Counts counts;
  double seconds = 0; ///< of all its runs together
};

struct Tally {
  explicit Tally(std::size_t files) : scenarios(files) {}
  void add(std::size_t run, const RunSpec &spec, const Outcome &outcome);
  /// Of the suite: it decides the exit status.
  [[nodiscard]] SuiteVerdict verdict() const {
    return interrupted ? SuiteVerdict::kInterrupted : counts.worst();
  }

  /// The failures in the order of their runs.
  [[nodiscard]] std::vector<const Failure *> failures_in_order() const;

  Counts counts;
  std::vector<ScenarioTally> scenarios; ///< by their index in the list of scenarios
  std::vector<Failure> failures;        ///< as they came
  bool interrupted = false;             ///< the suite itself was
};

} // namespace reveille::vmm
