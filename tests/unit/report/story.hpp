// Runs as the lab and the judge would hand them to the reports, written by hand.
#pragma once

#include "vmm/judge/verdict.hpp"
#include "vmm/kvm/host_info.hpp"

namespace reveille::vmm::story {

struct Story {
  Scenario scenario;
  Observation seen;
  Verdict verdict;
};

/// All CPUs come up, each a little later than the one before.
[[nodiscard]] Story all_up(std::uint32_t vcpus);

/// Eight CPUs: 3 stays at alive.released, 5 crashes at idle, 6 was never attempted, a fault
/// on 2 does not fire, and one invariant is broken if `broken`.
[[nodiscard]] Story trouble(bool broken = false);

/// A thousand CPUs: 19 of them stalled, one slow.
[[nodiscard]] Story many();

/// What a hostile guest would leave behind: rings full of nonsense, names that are not text.
[[nodiscard]] Story garbage();

[[nodiscard]] HostInfo host();

/// The control CPU's or a CPU's event at `us` after time zero.
[[nodiscard]] abi::Event event(double us, CpuIndex cpu, abi::EventKind kind, std::uint64_t a = 0,
                               std::uint64_t b = 0);

} // namespace reveille::vmm::story
