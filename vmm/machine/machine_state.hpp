// A machine as it once was, so that it can be put back into that state for a further run.
#pragma once

#include "core/abi/control_page.hpp"
#include "vmm/base/error.hpp"
#include "vmm/kvm/vcpu_state.hpp"
#include "vmm/kvm/vm.hpp"
#include "vmm/machine/control_area.hpp"
#include "vmm/machine/guest_memory.hpp"

#include <optional>
#include <vector>

namespace reveille::vmm {

class Machine;

/// The vCPUs of a machine without ghosts, and the interrupt chips beside them: all that KVM keeps, but for
/// the clocks. The state of LAPICs of our own is not in it.
struct MachineState {
  std::vector<VcpuState> vcpus; ///< by CPU
  std::optional<Vm::Irqchips> chips;

  /// Of one that nobody runs.
  [[nodiscard]] static Result<MachineState> of(Machine &machine);
  /// Of one that nobody runs. After an error it must not be run again.
  [[nodiscard]] Result<void> restore(Machine &machine) const;
};

/// A machine whose CPU 0 stands at time zero, with all that it has done to get there, and none of whose APs
/// has run. What the guest does up to there depends on the machine and on what the control page asks for, not
/// on the faults.
struct ZeroPoint {
  MachineState state;
  GuestMemory::Copy memory;
  abi::Request request = {}; ///< what it was asked for
  ControlLayout layout;

  /// For CPU 0's thread, which has come out at the doorbell of time zero; `as_built`: the machine before its
  /// first run. Completes the access to the doorbell. Nothing where it cannot be told that all of the state
  /// is here: where LAPICs are our own, or something has been recorded already.
  [[nodiscard]] static Result<std::optional<ZeroPoint>> of(Machine &machine, const MachineState &as_built);
};

} // namespace reveille::vmm
