// What a standalone run says on the serial port, made of the events that a host would read.
#pragma once

#include "core/abi/control_page.hpp"

namespace reveille::guest::run {

/// Before the first kick.
void announce(unsigned cpus, abi::Strategy strategy);
/// A line as soon as every CPU is decided, for who times this from outside; then, from what the rings have, a
/// line for each CPU and one for all. True when every CPU came up.
[[nodiscard]] bool summarise(unsigned cpus, const abi::GuestReport &report);

} // namespace reveille::guest::run
