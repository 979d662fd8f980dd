// Who a CPU is: its APIC ID, and whose thread it is.
#pragma once

#include <cstdint>
#include <span>

namespace reveille::guest::smp {

struct Identity {
  std::uint32_t apic_id = 0;
  /// Whether this CPU can be kicked: no CPU before it has the same ID, and the LAPIC reaches it.
  bool is_reachable = false;
  /// The CPU that is its core's primary thread, which may be itself, and may not be reachable.
  std::uint16_t primary = 0;
};

/// Fills in each CPU's primary: of the CPUs whose APIC IDs, but for the low `thread_bits` (0 to 31),
/// are the same, the one with the lowest number. A CPU that has the ID of one before it is
/// nobody's thread, and its own primary. `cpus`: by number, at most kMaxCpus. By CPU 0 alone.
void find_primaries(std::span<Identity> cpus, unsigned thread_bits);

} // namespace reveille::guest::smp
