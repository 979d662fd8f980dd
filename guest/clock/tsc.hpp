// How fast the time stamp counter counts.
#pragma once

#include <cstdint>

namespace reveille::guest::clock {

/// What else the clock may be taken from.
struct Sources {
  std::uint64_t given_tsc_khz = 0; ///< by the host, 0: it did not say
  std::uint16_t pm_timer_port = 0; ///< ACPI PM timer, 0: none
  bool pm_timer_is_32_bit = false;
};

/// The TSC's frequency in kHz, 0 when nothing says and nothing can be measured.
[[nodiscard]] std::uint64_t find_tsc_khz(const Sources &sources);

/// The LAPIC timer's frequency as a hypervisor states it, in Hz; 0: it does not.
[[nodiscard]] std::uint64_t stated_lapic_hz();

/// The TSC's frequency in kHz. Written once, by CPU 0, before the first kick.
extern std::uint64_t tsc_khz;

} // namespace reveille::guest::clock
