// Results that were written before, read back: as much of docs/result.schema.json as a comparison needs.
// Who wrote the file is not known: whatever it holds, it is a result or an error.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/judge/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

struct InvariantResult {
  std::string name;
  std::optional<bool> holds; ///< empty: not judged
  std::string evidence;
};

struct FaultResult {
  std::uint64_t fault = 0; ///< its index in the scenario
  CpuIndex cpu = 0;
  std::string at;
  std::string action;
  std::uint64_t fired = 0;
};

/// One run. Texts are as they stand in the file: none has been made fit for a terminal.
struct RunResult {
  std::string scenario;
  std::string backend;
  std::string strategy; ///< empty of a run that never began
  std::uint64_t seed = 0;
  std::string verdict;
  std::string host; ///< what the file says of it, as JSON
  std::optional<double> create_us;
  std::optional<double> bringup_us; ///< from time zero to the last active CPU
  std::optional<double> decided_us; ///< from time zero to the last CPU decided
  std::optional<double> total_us;
  std::vector<CpuVerdict> cpus; ///< by number, each once; times are credible, `resumed` is not in a result
  std::vector<FaultResult> faults;
  std::vector<InvariantResult> invariants;
  std::vector<std::string> differences;
};

/// What one file holds.
struct ResultFile {
  bool suite = false;          ///< of `vmm suite`; else one run
  std::vector<RunResult> runs; ///< no two of a suite have scenario and seed in common
};

/// Reads JSON. The error names the file by `name` and says what is wrong with it, and where: no JSON, cut
/// short, another schema, no result, or a key that is not what it should be. Its status is kUsage.
[[nodiscard]] Result<ResultFile> parse_results(std::string_view name, std::string_view text);

/// The same of a file; "-" is standard input. At most 512 MiB.
[[nodiscard]] Result<ResultFile> read_results(const std::string &path);

} // namespace reveille::vmm
