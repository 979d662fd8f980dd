// A run's result as JSON, schema 1: docs/result.schema.json, and docs/reading-results.md
// in words.
#pragma once

#include "vmm/judge/verdict.hpp"
#include "vmm/kvm/host_info.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace reveille::vmm {

/// One run, with a final newline. Valid UTF-8 whatever the guest has named its steps. `host` is
/// null when no host was measured: of a simulated machine.
[[nodiscard]] std::string result_json(const Scenario &scenario, const HostInfo *host, const Observation &seen,
                                      const Verdict &verdict);

/// What is known of a run before it begins.
struct RunName {
  std::string file; ///< as it was named
  std::string title;
  std::uint64_t seed = 0;
  Backend backend = Backend::kKvm;
  std::optional<abi::Strategy> strategy{}; ///< empty: the scenario could not be read
};

[[nodiscard]] RunName run_name(const Scenario &scenario);

/// The same of a run that never began: the error's status gives the verdict ("invalid",
/// "unsupported", "interrupted", else "broken"), its message is the one difference.
[[nodiscard]] std::string result_json_failed(const RunName &run, const Error &error);

} // namespace reveille::vmm
