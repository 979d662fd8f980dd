// What a standalone run says on the serial port, made of the events that a host would read.
#pragma once

#include "core/abi/control_page.hpp"

namespace reveille::guest::run {

/// Before the first kick.
void announce(unsigned cpus, abi::Strategy strategy);
/// A line for each CPU, and one for all. True when every CPU came up.
[[nodiscard]] bool summarise(unsigned cpus, const abi::GuestReport &report);

} // namespace reveille::guest::run
