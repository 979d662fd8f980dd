// A vCPU's stops at instructions, and its exits as places.
#include "vmm/lab/vcpu_runner.hpp"
#include "vmm/lapic/message.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace reveille::vmm {

Result<void> VcpuRunner::arm_stops() {
  const auto addresses = stops_.addresses();
  if (addresses.empty())
    return {};
  return vcpu_.set_breakpoints(addresses);
}

/// It stands before the instruction at `pc`, which has not been executed.
bool VcpuRunner::at_instruction(std::uint64_t pc) {
  if (stops_.send_start == pc && send_in_its_place())
    return true;
  const SyncView sync = state_.machine.control().sync(cpu_);
  for (const Stops::At &at : stops_.strikes)
    if (at.address == pc && FaultEngine::is_meant(at.strike, {sync.ordinal, sync.cycle}) &&
        !perform(at.strike))
      return true;
  return step_over();
}

/// The guest is about to send an INIT or a SIPI: the host does it, by its own rules, and has the
/// guest's function return. False: it is something else, or not as it should be.
bool VcpuRunner::send_in_its_place() {
  auto regs = vcpu_.regs();
  if (!regs)
    return false;
  // The function is given the whole APIC ID in either mode.
  const lapic::Ipi ipi = lapic::decode_icr(static_cast<std::uint32_t>(regs->rsi),
                                           static_cast<std::uint32_t>(regs->rdi), lapic::Mode::kX2apic);
  const bool is_init = ipi.message.delivery == lapic::Delivery::kInit;
  const auto back = state_.machine.memory().read<std::uint64_t>(regs->rsp);
  if (ipi.to.id >= state_.machine.cpus() || (!is_init && ipi.message.delivery != lapic::Delivery::kStartup) ||
      !back)
    return false;
  regs->rip = *back;
  regs->rsp += sizeof *back;
  if (!vcpu_.set_regs(*regs))
    return false;
  state_.deliveries.send({.to = ipi.to.id, .is_init = is_init, .vector = ipi.message.vector}, cpu_,
                         state_.now_us());
  state_.tell();
  return true;
}

/// Executes the one instruction that it stands before, whatever is armed there.
bool VcpuRunner::step_over() {
  if (!vcpu_.set_single_step())
    return false;
  Exit exit = processor_.run();
  while (std::holds_alternative<Interrupted>(exit) && !state_.ending())
    exit = processor_.run();
  if (const auto armed = arm_stops(); !armed)
    spdlog::error("cpu {}: {}", cpu_, armed.error().message);
  return std::holds_alternative<Debug>(exit) || handle(exit);
}

/// False when one of them took the vCPU away from where it was.
bool VcpuRunner::perform_all(const std::vector<Strike> &strikes) {
  return std::ranges::all_of(strikes, [this](const Strike &strike) { return perform(strike); });
}

/// Faults at its Nth exit strike when the exit has been answered.
void VcpuRunner::count_exit(const Exit &exit) {
  if (std::holds_alternative<Interrupted>(exit) || std::holds_alternative<Debug>(exit))
    return;
  ++exits_;
  if (state_.faults.has_exits(cpu_))
    perform_all(state_.faults.at_exit(cpu_, exits_));
}

} // namespace reveille::vmm
