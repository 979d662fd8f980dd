// The way to a CPU's local APIC from outside: what a device, or a fault, sends to it.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/lapic/message.hpp"
#include "vmm/machine/apic_ids.hpp"

#include <cstdint>
#include <functional>

namespace reveille::vmm {

/// Delivers messages to LAPICs, whoever models them. Any thread, at any time while the machine
/// lives. A message has arrived when the call returns: the CPU acts on it when it is next run, or when
/// Processor::state() is asked for.
class ApicBus {
public:
  ApicBus() = default;
  virtual ~ApicBus() = default;
  ApicBus(const ApicBus &) = delete;
  ApicBus &operator=(const ApicBus &) = delete;

  /// To the LAPIC with that ID, edge-triggered. Fails with kBroken when there is none.
  [[nodiscard]] virtual Result<void> send(std::uint32_t to_apic_id, const lapic::Message &message) = 0;

  /// Whether somebody takes an INIT or a SIPI that a CPU sends to one APIC ID, in the bus's place.
  using Interceptor =
      std::function<bool(CpuIndex sender, std::uint32_t to_apic_id, const lapic::Message &message)>;

  /// Before any CPU runs. It is called by the thread of the sender. False: the LAPICs are the kernel's, which
  /// does not ask.
  [[nodiscard]] virtual bool intercept(const Interceptor &interceptor) {
    static_cast<void>(interceptor);
    return false;
  }

  /// The same to a CPU of the machine.
  [[nodiscard]] Result<void> init(CpuIndex cpu) { return send(apic_id(cpu), {lapic::Delivery::kInit}); }
  [[nodiscard]] Result<void> nmi(CpuIndex cpu) { return send(apic_id(cpu), {lapic::Delivery::kNmi}); }
  /// The CPU, if it waits for a SIPI, starts at `vector` * 4096.
  [[nodiscard]] Result<void> startup(CpuIndex cpu, std::uint8_t vector) {
    return send(apic_id(cpu), {lapic::Delivery::kStartup, vector});
  }
  /// An edge-triggered interrupt. A LAPIC that is disabled drops it.
  [[nodiscard]] Result<void> fixed(CpuIndex cpu, std::uint8_t vector) {
    return send(apic_id(cpu), {lapic::Delivery::kFixed, vector});
  }
};

} // namespace reveille::vmm
