// Everything that a run has shown, as the judge takes it. All that comes from the guest is
// untrusted: event kinds, words and CPU numbers may be anything.
#pragma once

#include "core/abi/event.hpp"
#include "core/abi/word.hpp"
#include "vmm/faults/account.hpp"
#include "vmm/judge/vcpu_snapshot.hpp"
#include "vmm/scenario/roster.hpp"
#include "vmm/scenario/scenario.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// How a run came to its end.
enum class RunEnd : std::uint8_t {
  kComplete,    ///< every requested CPU decided, every fault seen through
  kBound,       ///< its bound expired first
  kControlDied, ///< CPU 0 shut down, panicked or could not be run on
  kInterrupted, ///< Ctrl-C or SIGTERM
  kRefused,     ///< the guest would not use this machine
};

/// The host has seen a vCPU die: a shutdown, a panic of the guest, a failed emulation.
struct CrashEvidence {
  CpuIndex cpu;
  std::uint32_t attempt; ///< in the CPU's sync word then
  std::string what;      ///< "triple fault", "emulation failed at ...", "page fault (vector 14) ..."
  std::uint64_t rip;     ///< 0: a simulated CPU, which has none
  std::string where{};   ///< symbol and source line of rip
};

/// A start that came to no claim, seen on the spot.
struct RefusedStart {
  CpuIndex cpu;
  std::uint64_t tsc;   ///< by the clock of the events
  std::string touched; ///< what it has changed, in words; empty: nothing
};

/// What an attempt's AP was to find and did not, seen on the spot.
struct NotSeen {
  CpuIndex cpu;
  std::uint32_t attempt;
  std::string what;
};

/// Memory of the guest that has to stay as it is from time zero to the end of the run.
struct KeptMemory {
  std::string name;
  std::uint64_t begin = 0;                 ///< guest-physical
  std::uint64_t size = 0;                  ///< bytes
  bool is_constant = true;                 ///< else it is written to, and only has to be there
  std::uint64_t before = 0;                ///< digest of its bytes at time zero; none when it is written to
  std::uint64_t after = 0;                 ///< and at the end
  std::optional<std::uint64_t> changed_at; ///< the first address that differs
};

struct StepNames {
  /// names[section] in the order of their index; section is protocol::Section.
  std::vector<std::string> names[4];

  /// What the guest calls a step; empty: it has no such step, or no name for it. Any numbers will do.
  [[nodiscard]] std::string_view find(std::uint64_t section, std::uint64_t step) const;
};

/// The same; a step without a name is "#7" by its index.
[[nodiscard]] std::string step_name(const StepNames &names, std::uint64_t section, std::uint64_t step);

struct CpuObservation {
  Presence presence = Presence::kPresent; ///< what the firmware made of it
  std::uint32_t apic_id = 0;              ///< as the guest has it, if it has found the CPU
  std::uint64_t word = 0;                 ///< the sync word at the end
  std::vector<abi::Event> events;         ///< its own ring, in the order in which it wrote them
  std::uint32_t lost_events = 0;          ///< found no room, or the ring's account is not credible
  std::optional<VcpuSnapshot> vcpu;       ///< of CPUs that did not come up
};

struct Observation {
  RunEnd end = RunEnd::kComplete;
  std::string end_detail; ///< in words, when the end is not kComplete
  std::vector<CpuObservation> cpus;
  std::vector<FaultAccount> faults;
  std::vector<Firing> firings; ///< in the order in which they began
  std::vector<CrashEvidence> crashes;
  StepNames steps;
  std::vector<RefusedStart> refused; ///< on KVM none: there VcpuSnapshot::refused tells
  std::vector<NotSeen> not_seen;     ///< likewise: there the events tell
  std::vector<KeptMemory> kept;      ///< of the simulated guest none: it has no memory
  std::string kept_gap;              ///< why not, where there should be
  std::uint32_t tsc_khz = 1;
  std::uint64_t zero_tsc = 0;    ///< 0: the control side never entered bring-up
  std::uint64_t decided_tsc = 0; ///< 0: not decided
  std::uint32_t found_cpus = 0;  ///< CPUs that the guest found in the MADT
  double bound_ms = 0;           ///< of the run
  double create_us = 0;
  std::string_view start; ///< of a machine that was used before: "again" or "zero"; empty: it was new
  double boot_us = 0;     ///< from the start of the vCPUs to time zero
  double total_us = 0;    ///< from the start of the program to the end of the run

  /// Microseconds from time zero for a guest time stamp.
  [[nodiscard]] double us(std::uint64_t tsc) const {
    return static_cast<double>(static_cast<std::int64_t>(tsc - zero_tsc)) * 1000.0 / tsc_khz;
  }
};

/// Observation::end_detail of a run, from how it ended, its bound and its crashes. `refusal`: why the guest
/// would not use the machine, where that was the end.
[[nodiscard]] std::string describe_end(const Observation &seen, std::string_view refusal = {});

} // namespace reveille::vmm
