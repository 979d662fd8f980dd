// A suite as one page of HTML: which faults were tried and which never, and all runs, with a page each.
#pragma once

#include "vmm/suite/matrix.hpp"
#include "vmm/suite/outcome.hpp"
#include "vmm/suite/suite.hpp"
#include "vmm/suite/tally.hpp"

#include <optional>
#include <string>
#include <vector>

namespace reveille::vmm {

/// Where the page of a run goes: below the folder that has the name of the suite's page without ".html", as
/// the scenario lies below here, with ".html" after its name, and when there are several runs of it the seed.
[[nodiscard]] std::string page_file(const SuiteOptions &options, const std::string &file, std::uint64_t seed);

/// Keeps what the page tells of each run until the suite is over, and writes it.
class SuitePage {
public:
  void add(const SuiteOptions &options, const RunName &name, const Outcome &outcome);

  /// A run has more CPUs than a page has room for, and gets none.
  void note_too_large() { ++too_large_; }

  /// What is to be said of those, in one line without its end; empty where there are none.
  [[nodiscard]] std::string without_page() const;

  /// The page: markup, style, script and data. Names of files, titles and what runs have said are data in
  /// it, never markup. `planned` is how many runs there were to be, `seconds` what it all took.
  [[nodiscard]] std::string text(const SuiteOptions &options, const Tally &tally, std::size_t planned,
                                 double seconds) const;

  /// Writes it where `options` says, as write_output() does.
  [[nodiscard]] Result<void> write(const SuiteOptions &options, const Tally &tally, std::size_t planned,
                                   double seconds) const;

private:
  struct Run {
    RunName name;
    SuiteVerdict verdict;
    double seconds;
    std::vector<std::string> findings;
    std::string again; ///< for a shell
    std::string link;  ///< to its page, from the suite's; empty: it has none
  };

  std::vector<Run> runs_; ///< as they ended
  std::size_t too_large_ = 0;
  Matrix matrix_;
};

} // namespace reveille::vmm
