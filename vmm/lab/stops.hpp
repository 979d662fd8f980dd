// The instructions at which a vCPU is stopped: where faults strike, and where it sends INITs and SIPIs.
#pragma once

#include "vmm/faults/engine.hpp"
#include "vmm/machine/machine.hpp"

#include <vector>

namespace reveille::vmm {

/// Of one vCPU.
struct Stops {
  struct At {
    std::uint64_t address; ///< linear
    Strike strike;
  };
  std::vector<At> strikes;                 ///< in file order
  std::optional<std::uint64_t> send_start; ///< the guest's function that sends them

  /// All addresses, each once.
  [[nodiscard]] std::vector<std::uint64_t> addresses() const;
};

/// Finds the instructions in the guest's symbols. Fails with kUsage when there is none of that
/// name, and when they are more than the processor has slots for. `at_sending`: the CPU may be one
/// that brings others up, and nobody else tells what it sends.
[[nodiscard]] Result<Stops> find_stops(const Scenario &scenario, const FaultEngine &faults,
                                       const Machine &machine, CpuIndex cpu, bool at_sending);

/// Where a jump goes. Fails with kUsage likewise.
[[nodiscard]] Result<std::uint64_t> find_code(const Machine &machine, const CodePlace &code);

} // namespace reveille::vmm
