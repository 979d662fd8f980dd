// Measuring the TSC against a counter of known frequency.
#pragma once

#include "guest/x86/cpu.hpp"

#include <concepts>
#include <cstdint>

namespace reveille::guest::clock {

/// A counter that counts up, at kFrequency a second, modulo a power of two.
template <class C>
concept Counter = requires(const C &c) {
  { c.read() } -> std::same_as<std::uint32_t>;
  { c.mask() } -> std::same_as<std::uint32_t>;
  { C::kFrequency } -> std::convertible_to<std::uint64_t>;
};

/// A counter and the TSC, read at nearly the same moment.
struct Reading {
  std::uint32_t count;
  std::uint64_t tsc;
};

/// The tightest of a few readings: a virtual CPU may lose the processor between any two
/// instructions, but hardly every time.
template <Counter C> [[nodiscard]] Reading read_with_tsc(const C &counter) {
  constexpr unsigned kTries = 5;
  Reading best{};
  std::uint64_t best_width = ~std::uint64_t{0};
  for (unsigned i = 0; i < kTries; ++i) {
    const std::uint64_t before = x86::rdtsc();
    const std::uint32_t count = counter.read();
    const std::uint64_t width = x86::rdtsc() - before;
    if (width < best_width) {
      best_width = width;
      best = {count, before + width / 2};
    }
  }
  return best;
}

/// The TSC's frequency in kHz over ten milliseconds of the counter; 0 when it does not count.
template <Counter C> [[nodiscard]] std::uint64_t measure_tsc_khz(const C &counter) {
  constexpr std::uint64_t kWanted = C::kFrequency / 100;
  constexpr unsigned kPatience = 1'000'000; // readings; a counter that moves needs far fewer
  constexpr unsigned kStandstill = 2'000;   // readings, of which one at least must differ
  const Reading from = read_with_tsc(counter);
  for (unsigned i = 0; i < kPatience; ++i) {
    const std::uint32_t passed = (counter.read() - from.count) & counter.mask();
    if (passed == 0 && i > kStandstill)
      return 0; // there is no such counter
    if (passed < kWanted)
      continue;
    const Reading to = read_with_tsc(counter);
    const std::uint64_t counted = (to.count - from.count) & counter.mask();
    if (counted < kWanted)
      return 0; // wrapped: this CPU was away for longer than the counter can tell
    return (to.tsc - from.tsc) * C::kFrequency / counted / 1000;
  }
  return 0;
}

} // namespace reveille::guest::clock
