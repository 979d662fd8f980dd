// A suite as JSON, schema 1: docs/result.schema.json, and docs/reading-results.md in words.
#pragma once

#include "vmm/suite/spool.hpp"
#include "vmm/suite/suite.hpp"
#include "vmm/suite/tally.hpp"

#include <string>
#include <vector>

namespace reveille::vmm {

/// The summary alone, without a final newline. `exit` is that of the suite; `runs` is how many
/// there were to be, `seconds` what it all took.
[[nodiscard]] std::string suite_summary_json(const SuiteOptions &options,
                                             const std::vector<std::string> &files, const Tally &tally,
                                             std::size_t runs, double seconds);

/// Writes the results and the summary where `path` says, as write_output() does.
[[nodiscard]] Result<void> write_suite_json(const std::string &path, Spool &results,
                                            const std::string &summary);

} // namespace reveille::vmm
