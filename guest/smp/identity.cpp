#include "guest/smp/identity.hpp"

#include "core/abi/control_page.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <numeric>

namespace reveille::guest::smp {

namespace {

/// CPU numbers by APIC ID; of equal IDs the lower number first.
constinit std::array<std::uint16_t, abi::kMaxCpus> by_id = {};

} // namespace

// By way of a sorted list, so that a thousand CPUs cost no million comparisons, and IDs of any
// size no table. Most firmware lists them sorted, and a KVM that interprets is slow to sort.
void find_primaries(std::span<Identity> cpus, unsigned thread_bits) {
  if (thread_bits == 0) { // who shares a core shares an ID
    for (std::size_t cpu = 0; cpu < cpus.size(); ++cpu)
      cpus[cpu].primary = static_cast<std::uint16_t>(cpu);
    return;
  }
  const std::span order(by_id.data(), cpus.size());
  std::iota(order.begin(), order.end(), std::uint16_t{0});
  const auto comes_before = [&](std::uint16_t a, std::uint16_t b) {
    return cpus[a].apic_id != cpus[b].apic_id ? cpus[a].apic_id < cpus[b].apic_id : a < b;
  };
  if (!std::is_sorted(order.begin(), order.end(), comes_before))
    std::sort(order.begin(), order.end(), comes_before);
  for (auto first = order.begin(); first != order.end();) {
    const std::uint32_t core = cpus[*first].apic_id >> thread_bits;
    const auto last = std::find_if(
        first, order.end(), [&](std::uint16_t cpu) { return cpus[cpu].apic_id >> thread_bits != core; });
    // Never one whose ID is taken: who has it has a lower number.
    const std::uint16_t primary = *std::min_element(first, last);
    for (auto at = first; at != last; ++at) {
      const bool is_taken = at != first && cpus[*at].apic_id == cpus[*std::prev(at)].apic_id;
      cpus[*at].primary = is_taken ? *at : primary;
    }
    first = last;
  }
}

} // namespace reveille::guest::smp
