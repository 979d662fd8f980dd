// Which APIC ID a vCPU has, and what follows from it.
#pragma once

#include "vmm/lapic/registers.hpp"
#include "vmm/scenario/scenario.hpp"

#include <cstdint>

namespace reveille::vmm {

/// The APIC ID of a vCPU, which is also its KVM ID. Threads of a core are a power of two and
/// adjacent, and cores are numbered without gaps, so the ID is the CPU's number, and the ID
/// without its low log2(threads_per_core) bits is the core's. A last core that is not full
/// changes nothing, and threads take no ID that vCPUs alone would not.
[[nodiscard]] constexpr std::uint32_t apic_id(CpuIndex cpu) { return cpu; }

/// How the LAPICs stand when the guest starts.
struct ApicSetup {
  bool offers_x2apic = true;   ///< CPUID leaf 1 says that there is x2APIC
  bool starts_x2apic = false;  ///< firmware has enabled it on CPU 0
  bool needs_wide_ids = false; ///< some ID is above lapic::kLastXapicId

  /// Whether this CPU is in x2APIC mode when the guest starts. A reset leaves xAPIC mode (SDM 3, 11.12.5.1
  /// "x2APIC States"), and that is how firmware leaves APs; but where an ID is wide it puts all CPUs in
  /// x2APIC mode before it hands over (11.12.8.1 "Consistency of APIC IDs and CPUID").
  [[nodiscard]] constexpr bool starts_in_x2apic(CpuIndex cpu) const {
    return needs_wide_ids || (starts_x2apic && cpu == 0);
  }
};

/// Of a machine whose IDs fit the mode that it asks for, as those of every scenario that was read do.
[[nodiscard]] constexpr ApicSetup apic_setup(const MachineSpec &machine) {
  const bool needs_wide_ids = apic_id(machine.vcpus - 1) > lapic::kLastXapicId;
  return {.offers_x2apic = machine.x2apic != X2apic::kOff,
          .starts_x2apic = machine.x2apic == X2apic::kOn || needs_wide_ids,
          .needs_wide_ids = needs_wide_ids};
}

} // namespace reveille::vmm
