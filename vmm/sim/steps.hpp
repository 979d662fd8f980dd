// The steps of the simulated guest: those of the table, each with a body.
#pragma once

#include "core/abi/control_page.hpp"
#include "core/protocol/guest_steps.hpp"
#include "core/steps.hpp"
#include "vmm/scenario/scenario.hpp"

namespace reveille::vmm::sim {

class EnvironmentBase;

struct StepBody {
  int (*start)(EnvironmentBase &env, core::StepTarget &target); ///< 0 or a negative error
  void (*undo)(EnvironmentBase &env, const core::StepTarget &target);
};

using Steps = core::StepTable<StepBody, abi::kMaxSteps>;

/// All of protocol::kGuestSteps, in their order.
[[nodiscard]] Steps make_steps();

} // namespace reveille::vmm::sim
