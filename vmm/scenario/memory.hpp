// How much guest memory a machine needs, and how its event rings are sized. The machine
// builder and the scenario's check use the same figures.
#pragma once

#include "core/abi/control_page.hpp"

#include <algorithm>
#include <cstdint>

namespace reveille::vmm {

inline constexpr std::uint64_t kGuestBaseBytes = 8ULL << 20; ///< image, page tables, low memory
inline constexpr std::uint64_t kAreaBytes = 20ULL << 10;     ///< per-CPU area and stacks of one attempt

/// Events in CPU 0's ring: it records the kicks, releases and decisions of all others.
[[nodiscard]] constexpr std::uint32_t control_ring_events(std::uint32_t vcpus, std::uint32_t attempts) {
  return 64 + 40 * vcpus * attempts;
}

/// Events in the ring of an AP.
[[nodiscard]] constexpr std::uint32_t ap_ring_events(std::uint32_t attempts) { return 64 + 48 * attempts; }

/// The least memory that the guest can do with, which is also the default.
[[nodiscard]] constexpr std::uint32_t default_memory_mib(std::uint32_t vcpus, std::uint32_t attempts) {
  const std::uint64_t areas = std::uint64_t{vcpus} * (attempts + 1) * kAreaBytes;
  const std::uint64_t events =
      control_ring_events(vcpus, attempts) + std::uint64_t{vcpus - 1} * ap_ring_events(attempts);
  const std::uint64_t bytes =
      kGuestBaseBytes + areas + events * sizeof(abi::Event) + vcpus * sizeof(abi::CpuSlot);
  constexpr std::uint64_t kMib = 1ULL << 20;
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(16, (bytes + kMib - 1) / kMib));
}

static_assert(default_memory_mib(1, 1) == 16);
static_assert(default_memory_mib(1024, 8) < 65536);

} // namespace reveille::vmm
