// What an APIC ID says about where its CPU is.
#pragma once

#include "guest/x86/cpu.hpp"

#include <concepts>
#include <cstdint>

namespace reveille::guest::x86 {

/// How many of an APIC ID's low bits number the thread in its core: two CPUs whose IDs differ in
/// no other bit are threads of one core. 0 to 31; 0 as well where CPUID has no leaf that says so.
/// One answer holds for all CPUs. `ask(leaf, subleaf)` is CPUID. Source: SDM vol. 2A, "CPUID", leaves
/// 1FH, which is to be preferred, and 0BH; vol. 3A, 9.9.2 "Hierarchical Mapping of CPUID Extended
/// Topology Leaf".
template <std::invocable<std::uint32_t, std::uint32_t> Ask> [[nodiscard]] unsigned thread_bits(Ask &&ask) {
  constexpr std::uint32_t kShift = 0x1f;        // EAX[4:0]
  constexpr std::uint32_t kProcessors = 0xffff; // EBX[15:0]; 0: the leaf is not there
  constexpr std::uint32_t kLevelType = 0xff00;  // ECX[15:8]
  constexpr std::uint32_t kSmt = 1u << 8;
  const std::uint32_t highest = ask(0, 0).eax;
  for (const std::uint32_t leaf : {0x1fu, 0x0bu}) {
    if (leaf > highest)
      continue;
    const Cpuid level = ask(leaf, 0);
    if ((level.ebx & kProcessors) != 0 && (level.ecx & kLevelType) == kSmt)
      return level.eax & kShift;
  }
  return 0;
}

} // namespace reveille::guest::x86
