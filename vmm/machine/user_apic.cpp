#include "vmm/machine/user_apic.hpp"

#include <fmt/format.h>

namespace reveille::vmm {

UserApicBus::UserApicBus(std::span<Vcpu> vcpus, const ApicSetup &setup, const ResetState &reset,
                         std::uint32_t tsc_khz)
    : bus_(vcpus.size()), reset_(reset),
      alarms_(vcpus.size(), [this](std::size_t cpu) { cpus_[cpu]->wake(); }) {
  for (std::size_t i = 0; i < vcpus.size(); ++i) {
    const lapic::Lapic::Identity identity{i, vcpus[i].id(), i == 0, setup.offers_x2apic};
    auto cpu = std::make_unique<UserProcessor>(vcpus[i], identity, setup.starts_in_x2apic(vcpus[i].id()),
                                               UserProcessor::Board{bus_, alarms_, reset_, tsc_khz});
    bus_.attach(i, *cpu);
    cpus_.push_back(cpu.get());
    numbers_.push_back(vcpus[i].id()); // see apic_ids.hpp
    made_.push_back(std::move(cpu));
  }
}

Result<void> UserApicBus::send(std::uint32_t to_apic_id, const lapic::Message &message) {
  if (bus_.send(lapic::Destination{to_apic_id, false, false}, message) == 0)
    return fail(ExitStatus::kBroken, fmt::format("no LAPIC has the ID {}, or it is disabled", to_apic_id));
  return {};
}

bool UserApicBus::intercept(const Interceptor &interceptor) {
  bus_.intercept([this, take = interceptor](std::size_t sender, const lapic::Destination &to,
                                            const lapic::Message &message) {
    return !to.logical && !to.broadcast && take(numbers_[sender], to.id, message);
  });
  return true;
}

} // namespace reveille::vmm
