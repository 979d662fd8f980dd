// How many events the rings hold: the host makes them, or the guest where there is none.
#pragma once

#include "core/abi/control_page.hpp"

#include <bit>
#include <cstdint>

namespace reveille::abi {

/// What a control CPU writes about one attempt of an AP, all undone and taken down.
inline constexpr std::uint32_t kControlEvents = 48;
/// What an AP writes about one attempt of its own, up and down.
inline constexpr std::uint32_t kOwnEvents = 64;
/// APs that a CPU brings up in tree before its ring is emptied: log2 of kMaxCpus, and more.
inline constexpr std::uint32_t kChildren = 16;

/// Events in CPU 0's ring: it records the kicks, releases and decisions of all others. The rings are emptied
/// in each cycle. A power of two, so that the count may wrap. `attempts`: at most, per AP and cycle.
[[nodiscard]] constexpr std::uint32_t control_ring_events(std::uint32_t cpus, std::uint32_t attempts) {
  return std::bit_ceil(64 + kControlEvents * cpus * attempts);
}

/// Events in the ring of an AP; in tree it is a control CPU too. A power of two likewise.
[[nodiscard]] constexpr std::uint32_t ap_ring_events(Strategy strategy, std::uint32_t attempts) {
  const std::uint32_t others = strategy == Strategy::kTree ? kControlEvents * kChildren : 0;
  return std::bit_ceil(64 + kOwnEvents * attempts + others);
}

} // namespace reveille::abi
