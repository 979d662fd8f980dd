// One run on the simulated machine, and what must hold of it whatever was done to its CPUs.
#pragma once

#include "vmm/judge/verdict.hpp"
#include "vmm/sim/simulation.hpp"

#include <string>
#include <vector>

namespace reveille::explore {

struct Ran {
  vmm::Observation seen;
  vmm::Verdict verdict;
  vmm::sim::SimCost cost;
};

/// Simulates and judges. Throws std::runtime_error when the host has no memory for it.
[[nodiscard]] Ran run(const vmm::Scenario &scenario);

/// "online", "not attempted", or the reason.
[[nodiscard]] std::string outcome(const vmm::CpuVerdict &cpu);

/// What a run shows that no run may: it did not end, an invariant is broken, a CPU to which
/// nothing was done did not come up at its first attempt, areas that nobody has, more than the
/// strategy allows. In sentences; empty: all is well.
[[nodiscard]] std::vector<std::string> complaints(const vmm::Scenario &scenario, const Ran &ran);

/// Whether CPU 0 may stop for ever: a run of that kind need not be decided.
[[nodiscard]] bool stops_control_cpu(const vmm::Scenario &scenario);

/// Whether a fault strikes a CPU itself, not the one that brings it up.
/// The host writes its word: what the control side makes of that depends on the word.
[[nodiscard]] bool has_written_word(const vmm::Scenario &scenario, vmm::CpuIndex cpu);
[[nodiscard]] bool is_struck(const vmm::Scenario &scenario, vmm::CpuIndex cpu);

/// Whether a fault is about an INIT or a SIPI for that CPU, or sends it one that was for another.
[[nodiscard]] bool has_faulty_delivery(const vmm::Scenario &scenario, vmm::CpuIndex cpu);

/// Whether the firmware tells something else of that CPU than what is so, or gives another one its ID.
[[nodiscard]] bool has_faulty_firmware(const vmm::Scenario &scenario, vmm::CpuIndex cpu);

/// Whether an INIT that is late, or not for whom it was sent, may find a CPU that brings another up.
[[nodiscard]] bool may_reset_a_control_cpu(const vmm::Scenario &scenario);

/// Whether a CPU may be lost with its control CPU: in tree, when something held or crashed the
/// one that it was left to for so long that its lease has lapsed for good.
[[nodiscard]] bool may_be_lost(const vmm::Scenario &scenario, const vmm::Observation &seen,
                               vmm::CpuIndex cpu);

/// Whether two runs have shown the very same.
[[nodiscard]] bool same(const vmm::Observation &a, const vmm::Observation &b);

} // namespace reveille::explore
