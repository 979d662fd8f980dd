// The registers of a CPU after an INIT, and after the SIPI behind it.
#pragma once

#include "vmm/kvm/vcpu.hpp"

#include <linux/kvm.h>

#include <cstdint>
#include <optional>

namespace reveille::vmm {

/// What KVM itself gives a new vCPU, kept so that it can be given again.
/// Source: SDM 3, 10.1.1 "Processor State After Reset", table 10-1; 9.4.3 on SIPI.
class ResetState {
public:
  /// Of a vCPU that has not run, and whose registers nobody has set.
  [[nodiscard]] static Result<ResetState> of(const Vcpu &vcpu);

  /// What an INIT keeps: the TSC, MSRs, FPU, CR0's cache bits, and `apic_base`. With `start` the vCPU
  /// stands at that page in real mode. What was pending is gone.
  [[nodiscard]] Result<void> restore(Vcpu &vcpu, std::uint64_t apic_base,
                                     std::optional<std::uint8_t> start) const;

  /// Only what `start` changes: for a vCPU that stands as after an INIT.
  [[nodiscard]] static Result<void> start(Vcpu &vcpu, std::uint8_t start);

private:
  kvm_regs general_ = {};
  kvm_sregs special_ = {};
  kvm_debugregs debug_ = {};
};

} // namespace reveille::vmm
