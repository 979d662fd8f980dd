// One virtual machine: its memory, its interrupt chips, its vCPUs.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/base/fd.hpp"
#include "vmm/kvm/vcpu.hpp"
#include "vmm/lapic/message.hpp"

#include <linux/kvm.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace reveille::vmm {

/// Owns the VM descriptor. Memory given to add_memory must outlive it and its vCPUs.
/// Built by Kvm::create_vm. All of it is for the thread that builds the machine, except
/// signal_msi, which any thread may call.
class Vm {
public:
  /// Makes `host` the guest's RAM at `gpa`; both page-aligned.
  /// Source: KVM API, 4.35 KVM_SET_USER_MEMORY_REGION.
  [[nodiscard]] Result<void> add_memory(std::uint32_t slot, std::uint64_t gpa, std::span<std::byte> host);

  /// Interrupt controllers in the kernel: PIC, IOAPIC and a LAPIC per vCPU, which makes
  /// every vCPU but ID 0 wait for INIT and SIPI. Before the first vCPU.
  /// Source: KVM API, 4.24 KVM_CREATE_IRQCHIP.
  [[nodiscard]] Result<void> create_irqchip();

  /// The same with the LAPICs alone in the kernel; no PIC and no IOAPIC. Before the first vCPU.
  /// Source: KVM API, 7.5 KVM_CAP_SPLIT_IRQCHIP.
  [[nodiscard]] Result<void> create_split_irqchip();

  /// An MSR whose accesses by the guest come out as MsrRead and MsrWrite.
  struct HandedMsr {
    std::uint32_t index;
    bool reads;
    bool writes;
  };

  /// Hands over those accesses, and every access that KVM would answer with a #GP: without LAPICs in the
  /// kernel, those to x2APIC MSRs too. At most 16. Before the first vCPU runs.
  /// Source: KVM API, 7.26 KVM_CAP_X86_USER_SPACE_MSR, 4.97 KVM_X86_SET_MSR_FILTER.
  [[nodiscard]] Result<void> hand_over_msrs(std::span<const HandedMsr> msrs);

  /// Lets APIC IDs above 254 be addressed, and 255 be an ID like any other.
  /// Source: KVM API, 7.7 KVM_CAP_X2APIC_API.
  [[nodiscard]] Result<void> allow_wide_apic_ids();

  /// Creates a vCPU whose ID, and so initial APIC ID, is `id`.
  /// Source: KVM API, 4.7 KVM_CREATE_VCPU.
  [[nodiscard]] Result<Vcpu> create_vcpu(std::uint32_t id);

  /// Has the kernel's LAPIC `apic_id` take a message as if it came over the bus: asserted, and always
  /// edge-triggered. Fails with kBroken when no LAPIC takes it, but for a fixed interrupt: one that is
  /// disabled by software drops that, and KVM does not tell it from nobody.
  /// Source: KVM API, 4.70 KVM_SIGNAL_MSI; SDM 3, 11.11 "Message Signalled Interrupts".
  [[nodiscard]] Result<void> signal_msi(std::uint32_t apic_id, const lapic::Message &message) const;

  /// The chips of create_irqchip(): both PICs and the I/O APIC. Not while a vCPU runs.
  /// Source: KVM API, 4.26 KVM_GET_IRQCHIP.
  using Irqchips = std::array<kvm_irqchip, 3>;
  [[nodiscard]] Result<Irqchips> irqchips() const;
  [[nodiscard]] Result<void> set_irqchips(const Irqchips &chips);

  [[nodiscard]] int capability(std::uint32_t cap) const;

private:
  friend class Kvm;
  Vm(Fd fd, std::size_t run_size) : fd_(std::move(fd)), run_size_(run_size) {}

  /// The settings that Intel's KVM wants before the first vCPU, and what the lab likes to have
  /// where it is there: the bytes that KVM cannot emulate, triple faults as events.
  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> enable(std::uint32_t cap, const char *name, std::uint64_t arg) const;

  Fd fd_;
  std::size_t run_size_; ///< bytes of a vCPU's run page
  bool wide_ids_ = false;
  bool triple_fault_events_ = false;
};

} // namespace reveille::vmm
