#include "vmm/machine/machine_state.hpp"

#include "vmm/kvm/kvm.hpp"
#include "vmm/machine/machine.hpp"

namespace reveille::vmm {
namespace {

Result<std::vector<std::uint32_t>> known_msrs() {
  const auto kvm = Kvm::open();
  return kvm ? kvm->msr_indices() : tl::unexpected(kvm.error());
}

Result<std::optional<Vm::Irqchips>> chips_of(Machine &machine) {
  if (machine.apic() != ApicMode::kKernel)
    return std::nullopt;
  return machine.vm().irqchips().map([](const Vm::Irqchips &chips) { return std::optional(chips); });
}

bool has_recorded(const Machine &machine) {
  for (CpuIndex cpu = 0; cpu < machine.cpus(); ++cpu)
    if (machine.control().recorded(cpu) != 0)
      return true;
  return false;
}

} // namespace

Result<MachineState> MachineState::of(Machine &machine) {
  const auto msrs = known_msrs();
  if (!msrs)
    return tl::unexpected(msrs.error());
  MachineState state;
  for (CpuIndex cpu = 0; cpu < machine.cpus(); ++cpu) {
    auto vcpu = VcpuState::of(machine.vcpu(cpu), machine.apic() != ApicMode::kUser, *msrs);
    if (!vcpu)
      return tl::unexpected(vcpu.error());
    state.vcpus.push_back(std::move(*vcpu));
  }
  auto chips = chips_of(machine);
  if (!chips)
    return tl::unexpected(chips.error());
  state.chips = *chips;
  return state;
}

/// The chips first: they may have a LAPIC take something.
Result<void> MachineState::restore(Machine &machine) const {
  if (chips)
    if (auto r = machine.vm().set_irqchips(*chips); !r)
      return r;
  for (CpuIndex cpu = 0; cpu < machine.cpus(); ++cpu)
    if (auto r = vcpus.at(cpu).restore(machine.vcpu(cpu)); !r)
      return r;
  return {};
}

Result<std::optional<ZeroPoint>> ZeroPoint::of(Machine &machine, const MachineState &as_built) {
  if (machine.apic() == ApicMode::kUser || has_recorded(machine))
    return std::nullopt;
  machine.processor(0).kick();
  static_cast<void>(machine.processor(0).run());
  std::vector<std::uint32_t> msrs;
  for (const kvm_msr_entry &msr : as_built.vcpus.front().msrs)
    msrs.push_back(msr.index);
  auto control_cpu = VcpuState::of(machine.vcpu(0), true, msrs);
  if (!control_cpu)
    return tl::unexpected(control_cpu.error());
  auto chips = chips_of(machine);
  if (!chips)
    return tl::unexpected(chips.error());
  auto memory = machine.memory().copy();
  if (!memory)
    return tl::unexpected(memory.error());
  ZeroPoint zero;
  zero.state = as_built;
  zero.state.vcpus.front() = std::move(*control_cpu);
  zero.state.chips = *chips;
  zero.memory = std::move(*memory);
  zero.request = machine.control().request();
  zero.layout = machine.control().layout();
  return zero;
}

} // namespace reveille::vmm
