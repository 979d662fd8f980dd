// The guest's own steps.
#pragma once

#include "core/abi/control_page.hpp"
#include "core/steps.hpp"

#include <span>

namespace reveille::guest::smp {

struct StepBody {
  int (*start)(core::StepTarget &target); ///< 0 or an Error
  void (*undo)(const core::StepTarget &target);
};

using Steps = core::StepTable<StepBody, abi::kMaxSteps>;
extern Steps steps;

/// Registers them. By CPU 0, once, before the first kick.
void register_steps();

/// Writes the names of all steps where the host looks for them.
void publish_steps(std::span<abi::StepName> names);

} // namespace reveille::guest::smp
