// When the events of a run happened, as far as a guest's stamps can be that.
#pragma once

#include "vmm/judge/observation.hpp"

#include <vector>

namespace reveille::vmm {

/// Microseconds from time zero for each event of each ring. In a ring they never run backwards;
/// none is before time zero, and none later than the run took.
class Times {
public:
  explicit Times(const Observation &seen);

  [[nodiscard]] double of(CpuIndex writer, std::size_t index) const { return us_[writer][index]; }

  /// A time of the host's, made to fit: it may be before time zero.
  [[nodiscard]] double of_host(double us) const;

  /// The end of the last thing that is known.
  [[nodiscard]] double end() const { return end_; }

private:
  std::vector<std::vector<double>> us_;
  double most_; ///< what no time can be beyond
  double end_ = 0;
};

} // namespace reveille::vmm
