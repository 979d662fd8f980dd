// How much guest memory a machine needs, and how its event rings are sized. The machine
// builder and the scenario's check use the same figures.
#pragma once

#include "core/abi/control_page.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace reveille::vmm {

inline constexpr std::uint64_t kGuestBaseBytes = 8ULL << 20; ///< image, page tables, low memory
inline constexpr std::uint64_t kAreaBytes = 20ULL << 10;     ///< per-CPU area and stacks of one attempt

/// What a control CPU writes about one attempt of an AP, all undone and taken down.
inline constexpr std::uint32_t kControlEvents = 48;
/// What an AP writes about one attempt of its own, up and down.
inline constexpr std::uint32_t kOwnEvents = 64;
/// APs that a CPU brings up in tree before the host has emptied its ring: log2 of 1024, and more.
inline constexpr std::uint32_t kChildren = 16;

/// What the rings and the areas are sized by.
struct MemoryNeeds {
  std::uint32_t vcpus;
  std::uint32_t attempts; ///< at most, per AP and cycle
  abi::Strategy strategy;
};

/// Events in CPU 0's ring: it records the kicks, releases and decisions of all others. The
/// host empties the rings in each cycle. A power of two, so that the count may wrap.
[[nodiscard]] constexpr std::uint32_t control_ring_events(const MemoryNeeds &needs) {
  return std::bit_ceil(64 + kControlEvents * needs.vcpus * needs.attempts);
}

/// Events in the ring of an AP; in tree it is a control CPU too. A power of two likewise.
[[nodiscard]] constexpr std::uint32_t ap_ring_events(const MemoryNeeds &needs) {
  const std::uint32_t others = needs.strategy == abi::Strategy::kTree ? kControlEvents * kChildren : 0;
  return std::bit_ceil(64 + kOwnEvents * needs.attempts + others);
}

/// The least memory that the guest can do with, which is also the default.
[[nodiscard]] constexpr std::uint32_t default_memory_mib(const MemoryNeeds &needs) {
  const std::uint64_t areas = std::uint64_t{needs.vcpus} * (needs.attempts + 1) * kAreaBytes;
  const std::uint64_t events =
      control_ring_events(needs) + std::uint64_t{needs.vcpus - 1} * ap_ring_events(needs);
  const std::uint64_t bytes =
      kGuestBaseBytes + areas + events * sizeof(abi::Event) + needs.vcpus * sizeof(abi::CpuSlot);
  constexpr std::uint64_t kMib = 1ULL << 20;
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(16, (bytes + kMib - 1) / kMib));
}

static_assert(default_memory_mib({1, 1, abi::Strategy::kParallel}) == 16);
static_assert(default_memory_mib({1024, 8, abi::Strategy::kTree}) < 65536);

} // namespace reveille::vmm
