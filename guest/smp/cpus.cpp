#include "guest/smp/cpus.hpp"

#include "guest/acpi/madt.hpp"
#include "guest/lapic/lapic.hpp"
#include "guest/x86/topology.hpp"

#include <algorithm>
#include <span>

namespace reveille::guest::smp {

constinit std::uint16_t id_map[kIdCount] = {};
constinit Identity identities[abi::kMaxCpus] = {};
constinit abi::CpuSlot *slots = nullptr;
constinit AreaPool areas;
constinit core::Settings settings;
constinit abi::Wait waiting = abi::Wait::kHalt;
constinit bool kicks_together = false;
constinit Arrivals arrivals;

namespace {

/// Enters the CPU in the ID map, unless its place is taken.
void enter(unsigned cpu, std::uint32_t apic_id) {
  identities[cpu] = {.apic_id = apic_id};
  if (apic_id >= kIdCount || id_map[apic_id] != 0)
    return;
  id_map[apic_id] = static_cast<std::uint16_t>(cpu + 1);
  identities[cpu].is_reachable = true;
}

} // namespace

Census number_cpus(const acpi::Root &root) {
  const std::uint32_t own = lapic::id();
  Census census{.cpus = 1};
  enter(0, own);
  bool own_seen = false;
  bool x2apic_listed = false;
  std::uint32_t highest = own;
  census.is_listed = acpi::for_each_cpu(root, [&](std::uint32_t apic_id, bool is_x2apic) {
    x2apic_listed |= is_x2apic;
    if (apic_id == own && !own_seen) {
      own_seen = true;
      return;
    }
    if (census.cpus == abi::kMaxCpus) {
      census.is_too_many = true;
      return;
    }
    highest = std::max(highest, apic_id);
    enter(census.cpus++, apic_id);
  });
  const std::uint32_t reach = lapic::choose(highest, x2apic_listed);
  if (highest > reach)
    for (unsigned cpu = 1; cpu < census.cpus; ++cpu)
      if (identities[cpu].apic_id > reach) // cut to eight bits it would be someone else's
        identities[cpu].is_reachable = false;
  find_primaries(std::span(identities).first(census.cpus), x86::thread_bits(x86::cpuid));
  return census;
}

bool are_all_reachable(unsigned cpus) {
  return std::all_of(identities, identities + cpus, [](const Identity &cpu) { return cpu.is_reachable; });
}

} // namespace reveille::guest::smp
