// `vmm suite`: many runs, each apart from the others, told as one.
#pragma once

#include "vmm/report/outputs.hpp"
#include "vmm/scenario/scenario.hpp"
#include "vmm/suite/plan.hpp"
#include "vmm/suite/runner.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace reveille::vmm {

struct SuiteOptions {
  std::vector<std::string> paths; ///< files and folders
  std::vector<std::string> sets;  ///< --set's arguments, for each run
  std::uint64_t seed = 0;         ///< of the first run of each scenario
  std::uint64_t repeat = 1;       ///< runs of each scenario, with seeds from `seed` on
  Shard shard;
  Backend backend = Backend::kKvm;
  bool fresh = false;    ///< nothing is used again: each run has a process and a machine of its own
  std::string guest;     ///< empty: the one that `run` takes by itself
  std::string log_level; ///< empty: not asked for; else what failing runs said is shown
  std::string json;      ///< empty: none; "-": standard output
  std::string junit;     ///< the same; only one can be "-"
  std::string tap;       ///< the same
  std::string trace;     ///< a folder for a trace of each run; empty: none
  std::string report;    ///< a page of all, whose name ends in .html; empty: none
  RunnerOptions runner;
  std::string command = "vmm"; ///< how the vmm is called, for commands that repeat a run

  /// The files that it writes itself. They refer to these options.
  [[nodiscard]] std::array<Output, 4> outputs() const {
    return {{{"--json", json}, {"--junit", junit}, {"--tap", tap}, {"--report", report}}};
  }
};

/// Runs them, says what came of them, and returns the exit status.
[[nodiscard]] int suite_command(const SuiteOptions &options);

} // namespace reveille::vmm
