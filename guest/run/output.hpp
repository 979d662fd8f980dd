// How the guest speaks to the outside: through the doorbell when a host has announced a
// control page, else on the serial port and by the status that QEMU ends with.
#pragma once

#include "core/abi/control_page.hpp"
#include "core/protocol/points.hpp"
#include "guest/run/line.hpp"

#include <cstdint>

namespace reveille::guest::run {

/// The host's control page, null in a standalone run. Set once by CPU 0.
extern abi::ControlPage *control_page;
/// Set as soon as the command line has announced one, valid or not: then nothing goes to
/// the serial port, and nothing ends QEMU.
extern bool has_host;

/// A line for a standalone run; says nothing under a host.
void say(Line &line);

/// The guest cannot use this machine. Does not come back.
[[noreturn]] void refuse(abi::Refusal why);

/// The calling CPU cannot go on. Comes back, unless it ends the run.
void report_panic(unsigned cpu, protocol::Point owed, std::uint64_t rip, std::uint64_t vector,
                  std::uint64_t error);

/// Ends a standalone run: QEMU's status is 33 when `good`, else 35.
[[noreturn]] void exit_qemu(bool good);

} // namespace reveille::guest::run
