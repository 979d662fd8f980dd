// What the design says must become of a CPU to which something is done. Written from its text:
// of core it knows the names of the points and steps, and not a line of the code.
#pragma once

#include "vmm/judge/verdict.hpp"

#include <compare>
#include <string>
#include <vector>

namespace reveille::explore {

struct Fate {
  std::string outcome; ///< "online", or the reason
  unsigned attempts = 0;
  unsigned quarantined = 0;
  friend auto operator<=>(const Fate &, const Fate &) = default;
};

/// What may become of a CPU.
struct Prediction {
  std::vector<Fate> fates;               ///< any of these, or
  std::vector<std::string> beginnings{}; ///< any outcome that begins so, however it came about

  [[nodiscard]] bool admits(const vmm::CpuVerdict &cpu) const;
  [[nodiscard]] std::string text() const;
};

/// Of an AP that was requested. `seen` tells which CPU brought it up in tree, and no more. The
/// holds of the scenario are those of catalogue.hpp, at most two to an AP.
[[nodiscard]] Prediction predict(const vmm::Scenario &scenario, const vmm::Observation &seen,
                                 vmm::CpuIndex cpu);

} // namespace reveille::explore
