// How the guest speaks to the outside: through the doorbell when a host has announced a
// control page, else on the serial port and by the status that QEMU ends with.
#pragma once

#include "core/abi/control_page.hpp"
#include "guest/run/line.hpp"
#include "guest/smp/panic.hpp"

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

/// How smp::tell_panic tells it. CPU 0's ends a standalone run.
void report_panic(const smp::Panic &panic);

/// Ends a standalone run: QEMU's status is 33 when `good`, else 35.
[[noreturn]] void exit_qemu(bool good);

} // namespace reveille::guest::run
