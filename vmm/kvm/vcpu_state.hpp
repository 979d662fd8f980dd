// All that KVM lets one read of a vCPU and write back.
#pragma once

#include "vmm/kvm/vcpu.hpp"

#include <linux/kvm.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace reveille::vmm {

/// MSRs that go on by themselves: they are neither kept nor put back, so that the TSCs of a machine's vCPUs
/// stay in step with each other. SDM 4, table 2-2; Hyper-V TLFS, 12.4 "Partition Reference Counter MSR".
inline constexpr std::array<std::uint32_t, 2> kClockMsrs{0x10, 0x4000'0020};

/// The state of a vCPU that does not run. What is not in it: its CPUID, which is set once, and the clocks.
/// Source: KVM API, 4.11 to 4.14, 4.31, 4.33, 4.38, 4.42, 4.44, 4.57.
class VcpuState {
public:
  /// `msrs`: those that there may be; what this vCPU does not have of them is left out. Without a LAPIC in
  /// the kernel it has no MP state either. What was pending as an INIT or SIPI is acted on.
  [[nodiscard]] static Result<VcpuState> of(const Vcpu &vcpu, bool has_lapic,
                                            std::span<const std::uint32_t> msrs);

  /// Puts it back, whatever the vCPU has come to since: an access that it owes is completed, an INIT or SIPI
  /// that is pending dropped, its breakpoints are gone. Only MSRs that differ are written.
  [[nodiscard]] Result<void> restore(Vcpu &vcpu) const;

  kvm_regs general = {};
  kvm_sregs special = {};
  XsaveArea extended = {};
  kvm_xcrs control = {};
  kvm_debugregs debug = {};
  kvm_vcpu_events events = {};
  std::vector<kvm_msr_entry> msrs;
  std::optional<kvm_lapic_state> lapic;
  MpState mp = MpState::kRunnable;
  std::uint8_t cr8 = 0; ///< of the run page

private:
  [[nodiscard]] Result<void> restore_msrs(Vcpu &vcpu) const;
};

} // namespace reveille::vmm
