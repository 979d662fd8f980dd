// CPUs that did the same, and who among them stands out.
#pragma once

#include "vmm/judge/verdict.hpp"

#include <string>
#include <vector>

namespace reveille::vmm {

/// A CPU that took far longer over a stretch than the others of its group.
struct Outlier {
  CpuIndex cpu;
  std::size_t from; ///< milestone (vmm/analysis/latencies.hpp); the stretch ends at the next point
  std::size_t to;
  double us;
  double median_us; ///< of the group
};

/// CPUs with one outcome, one reason and as many attempts.
struct Group {
  CpuOutcome outcome;
  std::string reason; ///< as in CpuVerdict
  std::uint32_t attempts;
  std::vector<const CpuVerdict *> members; ///< by number; pointers into the verdict
  std::vector<Outlier> outliers;           ///< the slowest first

  [[nodiscard]] std::vector<CpuIndex> cpus() const;
};

/// All APs in groups: those that came up first, then those that failed, then the rest.
[[nodiscard]] std::vector<Group> groups_of(const Verdict &verdict);

} // namespace reveille::vmm
