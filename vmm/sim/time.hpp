// Virtual time: nanoseconds since the simulated machine was switched on. Its time stamp counters
// count them.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace reveille::vmm::sim {

using Ns = std::uint64_t;

inline constexpr Ns kNever = std::numeric_limits<Ns>::max();
inline constexpr Ns kNsPerMs = 1'000'000;
/// What the simulated TSC counts in a millisecond.
inline constexpr std::uint32_t kTscKhz = 1'000'000;

[[nodiscard]] inline Ns from_us(double us) { return static_cast<Ns>(std::llround(us * 1000)); }
[[nodiscard]] inline double to_us(Ns time) { return static_cast<double>(time) / 1000; }

} // namespace reveille::vmm::sim
