// What CPUID tells each vCPU.
#pragma once

#include "vmm/machine/apic_ids.hpp"

#include <linux/kvm.h>

#include <cstdint>
#include <span>
#include <vector>

namespace reveille::vmm {

/// What the leaves of one machine have in common.
struct CpuidSpec {
  std::uint32_t vcpus = 1;
  std::uint32_t threads_per_core = 1; ///< 1, 2, 4, 8
  bool offers_x2apic = true;
  bool offers_tsc_deadline = true;
  std::uint32_t tsc_khz = 0; ///< 0: unknown
};

/// Frequency of the LAPIC timer's input in KVM, unless KVM_CAP_X86_APIC_BUS_CYCLES_NS changed
/// it: one tick a nanosecond (arch/x86/kvm/lapic.h, APIC_BUS_CYCLE_NS).
inline constexpr std::uint64_t kLapicHz = 1'000'000'000;

/// `supported` (KVM_GET_SUPPORTED_CPUID) made true for the vCPU with `apic_id`. Patched:
/// leaf 1 (APIC ID, count, HTT, x2APIC, TSC deadline, hypervisor), 4 (who shares a cache), 0xB and
/// 0x1F (topology, x2APIC ID), on AMD 0x80000001 (CmpLegacy), 0x80000008, 0x8000001D and 0x8000001E,
/// and KVM's, with 0x40000010 (frequencies).
///
/// There is one package. The low log2(threads_per_core) bits of an APIC ID number the thread in
/// its core, and all leaves agree on that, as far as the narrow ones reach: leaf 1 counts to 255
/// threads, leaf 4 to 64 cores, 0x80000008 to 256 threads. The last core may have fewer threads.
/// Source: SDM 2, CPUID; SDM 3, 9.9 "Programming Considerations for Hardware Multi-Threading Capable
/// Processors"; APM 3, appendix E; kernel, virt/kvm/x86/cpuid.
[[nodiscard]] std::vector<kvm_cpuid_entry2> vcpu_cpuid(std::span<const kvm_cpuid_entry2> supported,
                                                       const CpuidSpec &spec, std::uint32_t apic_id);

} // namespace reveille::vmm
