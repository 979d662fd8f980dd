// What a vCPU that stands still shows of itself.
#pragma once

#include "vmm/judge/vcpu_snapshot.hpp"
#include "vmm/machine/machine.hpp"

#include <optional>

namespace reveille::vmm {

/// Where a vCPU was once, in which attempt: an INIT makes it forget.
struct Look {
  std::uint32_t attempt = 0;
  Registers registers;
  std::optional<CodeBytes> code; ///< none: not mapped, or no RAM
};

/// Looks at a vCPU that exists; for the thread that runs it, or when there is none. Nothing when KVM
/// does not tell.
[[nodiscard]] std::optional<Look> look_at(Machine &machine, CpuIndex cpu, std::uint32_t attempt);

/// All of a vCPU that exists and that no thread runs. `holder` is the fault that holds it, index in
/// Scenario::faults. `last` is where it was last seen before it stood still: that is told when
/// an INIT has taken the vCPU from there, in the attempt of its sync word. What cannot be read is left out.
[[nodiscard]] VcpuSnapshot snapshot(Machine &machine, CpuIndex cpu, std::optional<std::size_t> holder,
                                    const std::optional<Look> &last);

} // namespace reveille::vmm
