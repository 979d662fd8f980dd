// What became of each CPU.
#pragma once

#include "vmm/judge/evidence.hpp"
#include "vmm/judge/verdict.hpp"

namespace reveille::vmm {

/// Outcome, reason, attempts and times of every CPU.
[[nodiscard]] std::vector<CpuVerdict> judge_cpus(const Scenario &scenario, const Evidence &evidence);

} // namespace reveille::vmm
