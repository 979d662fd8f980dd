// What came of one run of a suite: the result that its process wrote, or one in its place.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/report/json.hpp"
#include "vmm/suite/runner.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

enum class SuiteVerdict : std::uint8_t { kPass, kFail, kBroken, kUnsupported, kInvalid, kInterrupted };

/// A verdict's names and its exit status.
struct SuiteVerdictRow {
  SuiteVerdict verdict;
  std::string_view name; ///< as the JSON result has it
  std::string_view word; ///< as people read it
  ExitStatus exit;
  bool failed; ///< counts in the failure rate
};

/// In the order of the enumeration.
inline constexpr std::array<SuiteVerdictRow, 6> kSuiteVerdicts{{
    {SuiteVerdict::kPass, "pass", "PASS", ExitStatus::kAsExpected, false},
    {SuiteVerdict::kFail, "fail", "FAIL", ExitStatus::kDiffers, true},
    {SuiteVerdict::kBroken, "broken", "BROKEN", ExitStatus::kBroken, true},
    {SuiteVerdict::kUnsupported, "unsupported", "UNSUPPORTED", ExitStatus::kUnsupported, false},
    {SuiteVerdict::kInvalid, "invalid", "INVALID", ExitStatus::kUsage, true},
    {SuiteVerdict::kInterrupted, "interrupted", "INTERRUPTED", ExitStatus::kInterrupted, false},
}};

[[nodiscard]] constexpr const SuiteVerdictRow &row_of(SuiteVerdict verdict) {
  return kSuiteVerdicts[static_cast<std::size_t>(verdict)];
}

struct Outcome {
  SuiteVerdict verdict = SuiteVerdict::kBroken;
  bool own = false;       ///< the run itself has said so; else this stands in its place
  bool hung = false;      ///< its time was up, and it was ended
  std::string difference; ///< the first one; empty when it passed
  /// All differences, and broken invariants with what was seen of them. Empty when it passed.
  std::vector<std::string> findings;
  std::string json;   ///< the result object, without a final newline
  std::string log;    ///< the end of what the process wrote to its standard error
  double seconds = 0; ///< that the process took
};

/// Of a process that was started. Its own result counts, as it wrote it, if it says what the
/// exit status says; else one is made that tells what went wrong.
[[nodiscard]] Outcome outcome_of(const RunName &run, JobEnd end);

/// Of a run that never began.
[[nodiscard]] Outcome outcome_of(const RunName &run, const Error &error);

} // namespace reveille::vmm
