// A chain in a few words: its links put together, as long as they are about the same.
#pragma once

#include "vmm/analysis/chain.hpp"

#include <vector>

namespace reveille::vmm {

/// Links in a row. Of an AP: its way, with what its control CPU did for it in between. Of a control
/// CPU: what it did for several. Or one that stands alone: a hold, a timeout, a lease, other cycles.
struct Phase {
  bool stands_alone = false;
  bool is_control = false;
  CpuIndex cpu = 0;           ///< whose time it was
  std::vector<CpuIndex> with; ///< of a control CPU: for whom; by number
  ChainLink first{};          ///< its first link
  double from_us = 0;
  double to_us = 0;
  /// What it went into, the largest first.
  struct Part {
    LinkKind kind;
    double us;
  };
  std::vector<Part> parts;

  [[nodiscard]] double us() const { return to_us - from_us; }
};

/// In the order of time, one where the other ends.
[[nodiscard]] std::vector<Phase> phases_of(const Chain &chain);

} // namespace reveille::vmm
