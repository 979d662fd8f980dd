// How much guest memory a machine needs.
#pragma once

#include "core/abi/rings.hpp"

#include <algorithm>
#include <cstdint>

namespace reveille::vmm {

inline constexpr std::uint64_t kGuestBaseBytes = 8ULL << 20; ///< image, page tables, low memory
inline constexpr std::uint64_t kAreaBytes = 20ULL << 10;     ///< per-CPU area and stacks of one attempt

/// What the rings and the areas are sized by.
struct MemoryNeeds {
  std::uint32_t vcpus;
  std::uint32_t attempts; ///< at most, per AP and cycle
  abi::Strategy strategy;
};

/// The least memory that the guest can do with, which is also the default.
[[nodiscard]] constexpr std::uint32_t default_memory_mib(const MemoryNeeds &needs) {
  const std::uint64_t areas = std::uint64_t{needs.vcpus} * (needs.attempts + 1) * kAreaBytes;
  const std::uint64_t events =
      abi::control_ring_events(needs.vcpus, needs.attempts) +
      std::uint64_t{needs.vcpus - 1} * abi::ap_ring_events(needs.strategy, needs.attempts);
  const std::uint64_t bytes =
      kGuestBaseBytes + areas + events * sizeof(abi::Event) + needs.vcpus * sizeof(abi::CpuSlot);
  constexpr std::uint64_t kMib = 1ULL << 20;
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(16, (bytes + kMib - 1) / kMib));
}

static_assert(default_memory_mib({1, 1, abi::Strategy::kParallel}) == 16);
static_assert(default_memory_mib({1024, 8, abi::Strategy::kTree}) < 65536);

} // namespace reveille::vmm
