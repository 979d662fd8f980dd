// The guest's own steps, in one table.
#pragma once

#include "core/abi/control_page.hpp"
#include "core/steps.hpp"

#include <span>

namespace reveille::guest::smp {

struct Step {
  core::Section section;
  core::StepInfo info;
  int (*start)(core::StepTarget &target); ///< 0 or an Error
  void (*undo)(const core::StepTarget &target);
};

/// How many steps a section has.
[[nodiscard]] unsigned step_count(core::Section section);
/// The i-th of its section.
[[nodiscard]] const Step &step(core::Section section, unsigned i);

/// Writes the names of all steps where the host looks for them.
void publish_steps(std::span<abi::StepName> names);

} // namespace reveille::guest::smp
