// One CPU of the machine: a vCPU with its local APIC, wherever that one is modelled.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/kvm/vcpu.hpp"

namespace reveille::vmm {

/// What runs a vCPU, and knows what it is to INIT, SIPI and HLT. All functions are for one
/// thread at a time, the one that runs it, except kick. What is not here is the vCPU's own.
class Processor {
public:
  Processor() = default;
  virtual ~Processor() = default;
  Processor(const Processor &) = delete;
  Processor &operator=(const Processor &) = delete;

  /// As Vcpu::run: until the guest needs the host, or a kick. A CPU that halts or waits for an INIT
  /// or a SIPI stays inside, and no access to a LAPIC comes out.
  [[nodiscard]] virtual Exit run() = 0;

  /// Any thread: as Vcpu::kick.
  virtual void kick() = 0;

  /// What it waits for, if for anything. Asking makes it act on an INIT or a SIPI that is
  /// pending; while nobody asks or runs it, they stay so.
  [[nodiscard]] virtual Result<MpState> state() = 0;

  /// kRunnable ends a halt; kUninitialized has it wait for an INIT.
  [[nodiscard]] virtual Result<void> set_state(MpState state) = 0;

  [[nodiscard]] virtual Vcpu &vcpu() = 0;
};

} // namespace reveille::vmm
