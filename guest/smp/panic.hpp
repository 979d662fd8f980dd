// The end of a CPU that cannot go on.
#pragma once

#include "core/protocol/points.hpp"
#include "guest/x86/descriptors.hpp"

#include <cstdint>

namespace reveille::guest::smp {

struct Panic {
  unsigned cpu;
  protocol::Point owed; ///< what it was on its way to
  std::uint64_t rip;
  std::uint64_t vector; ///< of the exception, or abi::kBrokenInvariant
  std::uint64_t error;  ///< the exception's error code
};

using TellPanic = void (*)(const Panic &);

/// Tells the host, or the serial port. It is called by the CPU that cannot go on, and comes back unless it
/// ends the run. Set by CPU 0, once, before there is an interrupt table.
extern TellPanic tell_panic;

/// A broken invariant, found at the call. Is told, and halts.
[[noreturn, gnu::noinline]] void panic();
/// An exception that nothing here expects.
[[noreturn]] void panic(const x86::InterruptFrame &frame);

} // namespace reveille::guest::smp
