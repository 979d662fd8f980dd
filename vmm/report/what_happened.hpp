// What became of a CPU that failed, in one or two plain sentences.
#pragma once

#include "vmm/judge/verdict.hpp"

#include <string>

namespace reveille::vmm {

/// Tells apart first what kernels tell apart: it never answered its SIPI, or it started and did not
/// finish (or died). Then how far it came in its last attempt, and what a fault has to do with it. From
/// events, sync word, firings and mp_state, all of which may be anything. `cpu` is one that failed.
[[nodiscard]] std::string what_happened(const Scenario &scenario, const Observation &seen,
                                        const CpuVerdict &cpu);

} // namespace reveille::vmm
