// What the firmware tells the guest of its CPUs, with what faults at "firmware" make of it, and
// which number the guest then gives to each.
//
// A scenario's CPU N is the one whose LAPIC has the ID of N, as CPUID tells it. The guest numbers the
// CPUs in the order of the MADT, so a MADT that is wrong gives them other numbers.
#pragma once

#include "core/abi/event.hpp"
#include "vmm/scenario/scenario.hpp"

#include <cstdint>
#include <vector>

namespace reveille::vmm {

/// What the firmware makes of a CPU.
enum class Presence : std::uint8_t {
  kPresent,  ///< it is there, and listed by its own ID
  kGhost,    ///< listed, and there is no such vCPU
  kUnlisted, ///< there, and not listed
  kDisabled, ///< there, and listed as disabled
  kTwin,     ///< there, and listed with the ID of another, which keeps it
};

/// Whether the guest learns of such a CPU, and so tries to bring it up.
[[nodiscard]] constexpr bool is_found(Presence presence) {
  return presence != Presence::kUnlisted && presence != Presence::kDisabled;
}

/// One processor entry of the MADT, before it is bytes.
struct ListedCpu {
  CpuIndex cpu;   ///< whose entry it is
  CpuIndex id_of; ///< the CPU whose APIC ID stands in it
  bool enabled = true;
};

/// Microseconds as ticks of a TSC of that frequency.
[[nodiscard]] constexpr std::int64_t skew_ticks(double skew_us, std::uint32_t tsc_khz) {
  return static_cast<std::int64_t>(skew_us * tsc_khz / 1000);
}

class Roster {
public:
  explicit Roster(const Scenario &scenario);

  /// The entries of the MADT, in order.
  [[nodiscard]] const std::vector<ListedCpu> &listed() const { return listed_; }
  [[nodiscard]] Presence presence(CpuIndex cpu) const { return presence_.at(cpu); }
  /// Whether there is such a vCPU.
  [[nodiscard]] bool exists(CpuIndex cpu) const { return presence_.at(cpu) != Presence::kGhost; }
  /// The CPU whose APIC ID the guest takes for that of `cpu`, which it finds: its own, but for a twin.
  [[nodiscard]] CpuIndex listed_as(CpuIndex cpu) const { return listed_as_.at(cpu); }
  /// How far the TSC of a CPU is ahead of the others', microseconds.
  [[nodiscard]] double skew_us(CpuIndex cpu) const { return skew_us_.at(cpu); }

  /// How many CPUs the guest finds, and how many of them it is to bring up, CPU 0 included.
  [[nodiscard]] std::uint32_t found() const { return found_; }
  [[nodiscard]] std::uint32_t requested() const { return requested_; }

  /// The guest's number for a CPU, and back. The guest has no numbers for CPUs that it does not find:
  /// theirs are found() and up. A number that is too large comes back as it is.
  [[nodiscard]] CpuIndex number_of(CpuIndex cpu) const { return number_of_.at(cpu); }
  [[nodiscard]] CpuIndex cpu_of(CpuIndex number) const {
    return number < cpu_of_.size() ? cpu_of_[number] : number;
  }

  /// Puts the scenario's CPUs where an event of the guest has its own numbers.
  void rename(abi::Event &event) const;

  /// The scenario by the guest's numbers: faults, latencies, and as many CPUs as are to be brought up.
  [[nodiscard]] Scenario renumbered(const Scenario &scenario) const;

private:
  void apply(const FaultSpec &fault, CpuIndex cpu);
  void number_cpus();

  std::vector<ListedCpu> listed_;
  std::vector<Presence> presence_;
  std::vector<CpuIndex> listed_as_;
  std::vector<double> skew_us_;
  std::vector<CpuIndex> cpu_of_;
  std::vector<CpuIndex> number_of_;
  std::uint32_t found_ = 0;
  std::uint32_t requested_ = 0;
};

} // namespace reveille::vmm
