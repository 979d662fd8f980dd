// What a vCPU that stands still shows of itself.
#pragma once

#include "vmm/judge/vcpu_snapshot.hpp"
#include "vmm/machine/machine.hpp"

#include <optional>

namespace reveille::vmm {

/// Looks at a vCPU that exists and that no thread runs. `holder` is the fault that holds it, index in
/// Scenario::faults. What cannot be read is left out.
[[nodiscard]] VcpuSnapshot snapshot(Machine &machine, CpuIndex cpu, std::optional<std::size_t> holder);

} // namespace reveille::vmm
