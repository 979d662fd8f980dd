// What has changed from one result to another.
#pragma once

#include "vmm/analysis/latencies.hpp"
#include "vmm/diff/read.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// CPUs of which the same was said before, and the same after: "online", "timeout@alive".
struct CpuChange {
  std::vector<CpuIndex> cpus;
  std::string before;
  std::string after;
};

/// Something that has a name: a setting, an invariant.
struct NamedChange {
  std::string name;
  std::string before;
  std::string after;
  std::string evidence; ///< of an invariant, what its side that is not "holds" says
};

/// The times of all APs to one point: from the point before it, to alive from the kick, and of the kick
/// from time zero.
struct PointChange {
  std::string_view point;
  Spread before;
  Spread after;

  /// Of the medians; empty where there is none, or none before that is not 0.
  [[nodiscard]] std::optional<double> percent() const;

  /// Whether the median after is outside least..most before. Empty where one of the two has fewer than two
  /// CPUs: one time has no spread.
  [[nodiscard]] std::optional<bool> is_beyond() const;
};

/// The way of the AP that was active last: as much of the critical chain as is in a result, which says when
/// a CPU was where, and not whom it waited for.
struct LastActive {
  CpuIndex cpu = 0;
  double active_us = 0;
  /// To the kick from time zero, then to each point from the last one that has a time. Microseconds; they
  /// add up to `active_us` where times do not run backwards.
  std::array<std::optional<double>, protocol::kPointCount + 1> stretches;
};

/// Empty where no AP has been active.
[[nodiscard]] std::optional<LastActive> last_active_of(const RunResult &run);

struct Comparison {
  std::vector<NamedChange> settings; ///< scenario, backend, strategy, seed, host
  std::vector<CpuChange> outcomes;
  std::vector<CpuChange> attempts; ///< how many it took, of CPUs with the same outcome
  bool verdict = false;            ///< it is another one
  std::vector<NamedChange> invariants;
  std::vector<CpuChange> faults; ///< how often each has fired, of those that are in both
  std::vector<PointChange> points;
  std::optional<LastActive> last_before;
  std::optional<LastActive> last_after;

  /// Whether the outcome is another one: of a CPU, of the run, or of an invariant that one of the two
  /// broke. Times are none of it.
  [[nodiscard]] bool outcome_differs() const;
};

[[nodiscard]] Comparison compare(const RunResult &before, const RunResult &after);

/// A change in percent; empty where there is nothing to take it of.
[[nodiscard]] std::optional<double> percent_of(std::optional<double> before, std::optional<double> after);

} // namespace reveille::vmm
