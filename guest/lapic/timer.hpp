// The one-shot timer of the CPU that asks, set to a value of the TSC.
#pragma once

#include <cstdint>

namespace reveille::guest::lapic {

/// Finds out how the LAPIC timer counts. CPU 0, once, after adopt() and with the TSC's
/// frequency known. `lapic_hz` is its input clock, 0 to have it measured against the TSC.
/// Returns false when the timer does not count at all.
[[nodiscard]] bool choose_timer(std::uint64_t tsc_khz, std::uint64_t lapic_hz);

/// Sets this CPU's timer up, masked and stopped. Before any set_timer() on it.
void prepare_timer();
/// Raises the timer vector on this CPU when its TSC reaches `deadline`, or earlier when that
/// is too far for the counter: a hint, like every wake-up.
void set_timer(std::uint64_t deadline);
/// Stops and masks it.
void stop_timer();

} // namespace reveille::guest::lapic
