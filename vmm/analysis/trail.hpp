// What a run has recorded about one CPU: by itself, and by the control CPU about it.
#pragma once

#include "vmm/judge/observation.hpp"

#include <optional>
#include <vector>

namespace reveille::vmm {

/// The events about a CPU, by time; pointers into `seen`.
[[nodiscard]] std::vector<const abi::Event *> trail_of(const Observation &seen, CpuIndex cpu);

/// When the control CPU decided each CPU, microseconds from time zero.
[[nodiscard]] std::vector<std::optional<double>> decisions(const Observation &seen);

/// When each cycle began, microseconds from time zero, as far as CPU 0 has said.
[[nodiscard]] std::vector<double> cycle_beginnings(const Observation &seen);

} // namespace reveille::vmm
