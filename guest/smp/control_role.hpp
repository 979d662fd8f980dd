// What a CPU needs to bring others up: the seats, and in tree the work of a control CPU other
// than CPU 0.
#pragma once

#include "core/delegate.hpp"
#include "guest/smp/cp_environment.hpp"

#include <span>

namespace reveille::guest::smp {

using Seat = core::Seat<CpEnvironment>;

/// One for each CPU that is to be brought up, CPU 0 included. Set once, before the first kick.
extern std::span<Seat> seats;
/// How many INIT, SIPI, SIPI sequences were sent. Set once, before the first kick.
extern std::atomic<std::uint32_t> *kicks;

/// Brings up the AP that CPU 0 has left to this CPU.
void serve_lease(PerCpu &me);

} // namespace reveille::guest::smp
