// Events in words.
#pragma once

#include "core/abi/event.hpp"
#include "vmm/judge/observation.hpp"

#include <string>

namespace reveille::vmm {

/// What an event says, without its time. Events are the guest's and may hold anything:
/// every one has a description, and it holds nothing that a terminal would obey.
[[nodiscard]] std::string describe(const abi::Event &event, const StepNames &steps);

} // namespace reveille::vmm
