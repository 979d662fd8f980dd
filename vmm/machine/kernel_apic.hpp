// CPUs whose local APICs are the kernel's.
#pragma once

#include "vmm/kvm/vm.hpp"
#include "vmm/machine/apic_bus.hpp"
#include "vmm/machine/processor.hpp"

namespace reveille::vmm {

/// Sends by KVM_SIGNAL_MSI. Works with the I/O APIC in the kernel and without.
class KernelApicBus final : public ApicBus {
public:
  /// `vm` must outlive it, and stay where it is.
  explicit KernelApicBus(const Vm &vm) : vm_(vm) {}

  [[nodiscard]] Result<void> send(std::uint32_t to_apic_id, const lapic::Message &message) override;

private:
  const Vm &vm_;
};

/// KVM does it all: it waits, and its MP_STATE tells for what.
class KernelProcessor final : public Processor {
public:
  explicit KernelProcessor(Vcpu &vcpu) : vcpu_(vcpu) {}

  [[nodiscard]] Exit run() override { return vcpu_.run(); }
  void kick() override { vcpu_.kick(); }
  [[nodiscard]] Result<MpState> state() override { return vcpu_.mp_state(); }
  [[nodiscard]] Result<void> set_state(MpState state) override { return vcpu_.set_mp_state(state); }
  [[nodiscard]] Vcpu &vcpu() override { return vcpu_; }

private:
  Vcpu &vcpu_;
};

} // namespace reveille::vmm
