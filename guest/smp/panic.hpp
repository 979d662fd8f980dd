// The end of a CPU that cannot go on.
#pragma once

#include "guest/x86/descriptors.hpp"

namespace reveille::guest::smp {

/// A broken invariant, found at the call. Tells the host, or the serial port, and halts.
[[noreturn, gnu::noinline]] void panic();
/// An exception that nothing here expects.
[[noreturn]] void panic(const x86::InterruptFrame &frame);

} // namespace reveille::guest::smp
