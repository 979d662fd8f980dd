// What the guest keeps for late APs, looked at before the first kick and when all is over.
#pragma once

#include "vmm/judge/observation.hpp"
#include "vmm/machine/machine.hpp"

#include <cstddef>
#include <vector>

namespace reveille::vmm {

/// The guest says where it is, and is not believed: what is no memory of its, or too much, is left out
/// and said. One thread at a time.
class KeptWatch {
public:
  /// `machine` must outlive this.
  explicit KeptWatch(Machine &machine) : machine_(machine) {}

  /// At time zero, while CPU 0 stands still and no AP runs. The first call counts.
  void begin();

  /// When no vCPU runs any more: Observation::kept and kept_gap.
  void observe(Observation &seen) const;

private:
  struct Part {
    KeptMemory memory;
    std::vector<std::byte> bytes; ///< at time zero; none of what is written to
  };

  void add(abi::Keep what, const GuestRange &range);

  Machine &machine_;
  bool begun_ = false;
  std::vector<Part> parts_;
  std::string gap_;
};

} // namespace reveille::vmm
