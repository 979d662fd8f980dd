// What became of each fault: the account that the engine keeps and that the judge and the
// reports read.
#pragma once

#include "vmm/scenario/scenario.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reveille::vmm {

/// How a hold ended, or an action that does not hold went.
enum class HoldEnd : std::uint8_t {
  kHolding,    ///< still holds the vCPU when the run ends
  kReleased,   ///< its time was over, and the vCPU went on
  kReset,      ///< an INIT took the vCPU out of it
  kCrashed,    ///< the action was to crash, and the vCPU has shut down
  kStepFailed, ///< the action was to fail, and the guest has been told
  kDone,       ///< the action was of a moment, and is over
};

/// What a vCPU made of its release.
enum class Aftermath : std::uint8_t {
  kUnknown,      ///< not seen yet
  kActive,       ///< it came up
  kParked,       ///< it found out that it was given up
  kDead,         ///< it went down, or was rolled back
  kClaimedAgain, ///< a later attempt has claimed it
  kTookInit,     ///< an INIT was waiting for it
  kAtRest,       ///< it halts for ever, or waits for a control CPU that has stopped
  kHeldOn,       ///< another fault holds it for ever, or has crashed it
  kWentOn,       ///< it was the control CPU
};

/// What the host has made of a CPU's sync word. Bits: they need not be a word.
struct WordWrite {
  std::uint64_t before;
  std::uint64_t after;
};

/// One firing of a fault on one CPU.
struct Firing {
  std::size_t fault;     ///< index in Scenario::faults
  CpuIndex cpu;          ///< the CPU that the fault lists
  std::uint32_t attempt; ///< in the CPU's sync word then
  double began_us;       ///< from time zero, by the host's clock; negative: before it
  double ended_us;       ///< likewise; of no meaning while kHolding
  HoldEnd end = HoldEnd::kHolding;
  bool seen_through = false;                 ///< what the vCPU made of it is known
  Aftermath aftermath = Aftermath::kUnknown; ///< of a release; kAtRest of a crash that found no instruction
  std::uint64_t rip = 0;                     ///< where the vCPU was when it began, linear
  std::string where{};                       ///< the same as symbol and source line
  CpuIndex vcpu = 0;                         ///< the vCPU that it was done to: at kick the CP's
  std::uint64_t word = 0;                    ///< the CPU's sync word then, any bits
  std::optional<WordWrite> wrote{};          ///< of flip and stale
};

/// A fault on one of its CPUs.
struct FaultAccount {
  std::size_t fault;
  CpuIndex cpu;
  std::uint32_t fired = 0;
  bool seen_through = false; ///< or can no longer fire
};

} // namespace reveille::vmm
