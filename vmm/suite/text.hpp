// A suite as people read it.
#pragma once

#include "vmm/report/live_lines.hpp"
#include "vmm/report/style.hpp"
#include "vmm/suite/suite.hpp"
#include "vmm/suite/tally.hpp"

#include <cstdio>
#include <string>
#include <vector>

namespace reveille::vmm {

/// How far it is, in one line of at most `width` columns:
/// "12/50 done, 1 failed, running: faults/two-stalls.toml".
[[nodiscard]] std::string suite_live_line(std::size_t done, std::size_t all, std::size_t failed,
                                          const std::vector<std::string> &running, int width);

/// "3 of 100 runs failed", "100 runs".
[[nodiscard]] std::string rate_text(const Counts &counts);

/// Tells a suite while it runs: a line for each run, or for each scenario when scenarios run
/// more than once, as they end; on a terminal also the live line; at the end the summary.
class SuiteText {
public:
  /// Lines go to `people`, the live line to `live` if that is a terminal. What is referred to
  /// must outlive this.
  SuiteText(const SuiteOptions &options, const std::vector<std::string> &files, const Plan &plan,
            std::FILE *people, const Style &style, std::FILE *live, const Style &live_style);

  void started(const RunSpec &spec, const Tally &tally);
  /// `tally` has it already.
  void ended(const RunSpec &spec, const Outcome &outcome, const Tally &tally);
  /// Takes the live line away, tells scenarios that did not get through all their runs, and
  /// sums up. `seconds` is what it all took.
  void finish(const Tally &tally, double seconds);

private:
  void print(const std::string &text);
  void redraw(const Tally &tally);
  /// Whether what the run printed is to be shown.
  [[nodiscard]] bool has_log(const Outcome &outcome) const {
    return outcome.verdict != SuiteVerdict::kPass && !options_.log_level.empty();
  }
  [[nodiscard]] std::string name(const RunSpec &spec) const;
  [[nodiscard]] std::string line(SuiteVerdict verdict, std::size_t file, const std::string &note,
                                 double seconds) const;
  [[nodiscard]] std::string run_text(const RunSpec &spec, const Outcome &outcome) const;
  [[nodiscard]] std::string scenario_text(std::size_t file, const Tally &tally) const;
  [[nodiscard]] std::string failures_text(const Tally &tally) const;
  [[nodiscard]] std::string summary_text(const Tally &tally, double seconds) const;

  const SuiteOptions &options_;
  const std::vector<std::string> &files_;
  const Plan &plan_;
  std::FILE *people_;
  Style style_;
  LiveLines live_;
  int live_width_;
  std::size_t name_width_ = 0;
  std::vector<std::string> running_; ///< names, as they were started
};

} // namespace reveille::vmm
