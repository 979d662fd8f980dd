// What CPUs with local APICs of our own have in common.
#pragma once

#include "vmm/lapic/bus.hpp"
#include "vmm/machine/alarm_clock.hpp"
#include "vmm/machine/apic_bus.hpp"
#include "vmm/machine/apic_ids.hpp"
#include "vmm/machine/reset_state.hpp"
#include "vmm/machine/user_processor.hpp"

#include <memory>
#include <span>
#include <vector>

namespace reveille::vmm {

/// The bus, the clock that wakes for timers, and the CPUs on both.
class UserApicBus final : public ApicBus {
public:
  /// A CPU for each of `vcpus`, which stay where they are while it lives.
  UserApicBus(std::span<Vcpu> vcpus, const ApicSetup &setup, const ResetState &reset, std::uint32_t tsc_khz);

  [[nodiscard]] Result<void> send(std::uint32_t to_apic_id, const lapic::Message &message) override;
  [[nodiscard]] bool intercept(const Interceptor &interceptor) override;

  [[nodiscard]] std::vector<std::unique_ptr<Processor>> take_processors() { return std::move(made_); }

private:
  lapic::Bus bus_;
  ResetState reset_;
  std::vector<UserProcessor *> cpus_; ///< by index
  std::vector<CpuIndex> numbers_;     ///< of them, in the scenario: some of its CPUs may not exist
  std::vector<std::unique_ptr<Processor>> made_;
  AlarmClock alarms_; ///< last: its thread is the first to end
};

} // namespace reveille::vmm
