// A machine, complete: memory, tables, guest image and vCPUs, ready to run.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/kvm/host_info.hpp"
#include "vmm/kvm/vcpu.hpp"
#include "vmm/kvm/vm.hpp"
#include "vmm/machine/apic_bus.hpp"
#include "vmm/machine/control_area.hpp"
#include "vmm/machine/guest_image.hpp"
#include "vmm/machine/guest_memory.hpp"
#include "vmm/machine/machine_state.hpp"
#include "vmm/machine/platform.hpp"
#include "vmm/machine/processor.hpp"
#include "vmm/machine/reset_state.hpp"
#include "vmm/machine/symbols.hpp"
#include "vmm/scenario/scenario.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reveille::vmm {

/// Owns all of a machine. Threads that run its vCPUs must be joined before it goes.
class Machine {
public:
  /// Whether somebody wants no machine any more.
  using Interrupted = bool (*)();

  /// Builds what `scenario` asks for, with the ELF file at `guest_elf` loaded. CPU 0 stands at
  /// the PVH entry; the others wait for INIT. Fails with kUsage (the image, too little
  /// memory) or kUnsupported (this host); with kInterrupted soon after `interrupted` says so.
  [[nodiscard]] static Result<Machine> build(const Scenario &scenario, const std::string &guest_elf,
                                             Interrupted interrupted = never);
  [[nodiscard]] static Result<Machine> build(const Scenario &scenario, const GuestImage &image,
                                             Interrupted interrupted = never);

  /// For a further run, when nobody runs it any more: makes it what build() would make for `scenario`, by
  /// `as_built`, its state then. The scenario's machine must be the same, and the image; there are no faults
  /// at "firmware" in either. After an error it must not be run again.
  [[nodiscard]] Result<void> restart(const Scenario &scenario, const GuestImage &image,
                                     const MachineState &as_built);

  /// The same, as it stood at time zero: false, and nothing has been done, when a guest that is asked for
  /// what `scenario` wants would not have come there in the same way.
  [[nodiscard]] Result<bool> resume(const Scenario &scenario, const ZeroPoint &zero);

  /// What the guest is told of its CPUs, and how many of them there are, the ghosts included.
  [[nodiscard]] const Roster &roster() const { return control_.roster(); }
  [[nodiscard]] std::uint32_t cpus() const { return static_cast<std::uint32_t>(places_.size()); }
  /// Whether there is a vCPU of that number: vcpu() and processor() throw without.
  [[nodiscard]] bool exists(CpuIndex cpu) const { return roster().exists(cpu); }
  [[nodiscard]] Vcpu &vcpu(CpuIndex cpu) { return vcpus_.at(places_.at(cpu)); }
  /// The vCPU with its LAPIC: what runs it, and tells whether it waits.
  [[nodiscard]] Processor &processor(CpuIndex cpu) { return *processors_.at(places_.at(cpu)); }
  /// To the LAPICs from outside; any thread.
  [[nodiscard]] ApicBus &bus() { return *bus_; }
  [[nodiscard]] Vm &vm() { return *vm_; }
  [[nodiscard]] ApicMode apic() const { return apic_; }
  [[nodiscard]] GuestMemory &memory() { return memory_; }
  [[nodiscard]] ControlArea &control() { return control_; }
  [[nodiscard]] const ControlArea &control() const { return control_; }
  [[nodiscard]] Platform &platform() { return *platform_; }
  [[nodiscard]] const Symbolizer &symbols() const { return *symbols_; }
  [[nodiscard]] const HostInfo &host() const { return host_; }

  /// Creating the VM and its vCPUs, without memory and tables, microseconds; of one that is used again,
  /// putting it back.
  [[nodiscard]] std::uint64_t create_us() const { return create_us_; }
  [[nodiscard]] std::uint32_t tsc_khz() const { return tsc_khz_; } ///< of every vCPU

private:
  friend class MachineBuilder;
  static bool never() { return false; }
  Machine(GuestMemory memory, std::unique_ptr<Vm> vm, ControlArea control, std::vector<Vcpu> vcpus);

  // Destroyed from the last to the first: the vCPUs, the VM, then the memory under them.
  GuestMemory memory_;
  std::unique_ptr<Vm> vm_;
  ControlArea control_;
  std::vector<Vcpu> vcpus_;         ///< those that exist
  std::vector<std::size_t> places_; ///< by CPU: which of them; a ghost's is beyond them
  std::vector<std::unique_ptr<Processor>> processors_;
  std::unique_ptr<ApicBus> bus_; ///< its clock wakes processors, so it goes before them
  std::unique_ptr<Platform> platform_;
  std::unique_ptr<Symbolizer> symbols_;
  HostInfo host_;
  std::optional<ResetState> reset_; ///< of its vCPUs
  ApicMode apic_ = ApicMode::kKernel;
  std::uint64_t create_us_ = 0;
  std::uint32_t tsc_khz_ = 0;
};

} // namespace reveille::vmm
