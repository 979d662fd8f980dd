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

/// In which cycle a CPU was decided, from 1, as far as CPU 0 has said when one began (0: in none that it
/// has). Nothing if it was not.
[[nodiscard]] std::optional<std::size_t> cycle_of_decision(const Observation &seen, CpuIndex cpu);

/// When each cycle began, microseconds from time zero, as far as CPU 0 has said.
[[nodiscard]] std::vector<double> cycle_beginnings(const Observation &seen);

} // namespace reveille::vmm
