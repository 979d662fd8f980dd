// What a vCPU that stands still shows of itself.
#pragma once

#include "vmm/judge/vcpu_snapshot.hpp"
#include "vmm/machine/machine.hpp"

#include <optional>

namespace reveille::vmm {

/// Where a vCPU was once, in which attempt: an INIT makes it forget.
struct Look {
  std::uint32_t attempt = 0;
  bool panicked = false; ///< the guest says that it panicked at `rip`; the registers are of when it said so
  bool at_reset = false; ///< as RESET or an INIT leaves it
  std::uint64_t rip = 0; ///< linear
  Registers registers;
  std::optional<CodeBytes> code; ///< none: not mapped, or no RAM
};

/// Looks at a vCPU that exists; for the thread that runs it, or when there is none. Nothing when KVM
/// does not tell. `panic_rip`: where the guest says that it panicked, any address; 0: it does not say.
[[nodiscard]] std::optional<Look> look_at(Machine &machine, CpuIndex cpu, std::uint32_t attempt,
                                          std::optional<std::uint64_t> panic_rip = {});

/// An address as Symbolizer::describe() has it; in the copies of the trampoline, which have no symbols,
/// "trampoline page 1+0x800".
[[nodiscard]] std::string name_of_code(const Machine &machine, std::uint64_t address);

/// All of a vCPU that exists and that no thread runs. `holder` is the fault that holds it, index in
/// Scenario::faults. `last` is where it was last seen before it stood still: that is told when
/// it panicked there or an INIT has taken it from there, in the attempt of its sync word. What cannot be read
/// is left out.
[[nodiscard]] VcpuSnapshot snapshot(Machine &machine, CpuIndex cpu, std::optional<std::size_t> holder,
                                    const std::optional<Look> &last);

} // namespace reveille::vmm
