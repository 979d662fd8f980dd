// Who is who: CPU numbers, APIC IDs, slots. Written by CPU 0 before the first kick, then
// read by all, and never freed.
#pragma once

#include "core/abi/control_page.hpp"
#include "core/arrivals.hpp"
#include "core/settings.hpp"
#include "guest/acpi/find.hpp"
#include "guest/smp/area.hpp"
#include "guest/smp/identity.hpp"

#include <atomic>
#include <cstdint>

namespace reveille::guest::smp {

/// APIC IDs from here on are not looked up, and never kicked.
inline constexpr std::uint32_t kIdCount = 8192;

/// CPU number plus one by APIC ID; 0: nobody's.
extern std::uint16_t id_map[kIdCount];

extern Identity identities[abi::kMaxCpus];

/// The number of the CPU that is the primary thread of `cpu`'s core. Known once the CPUs are numbered.
[[nodiscard]] inline unsigned primary_of(unsigned cpu) { return identities[cpu].primary; }

struct Census {
  unsigned cpus = 0;        ///< CPU 0 included
  bool is_listed = false;   ///< there is a MADT
  bool is_too_many = false; ///< more than there can be slots; the rest is not counted
};

/// Numbers the CPUs: the one that runs this is CPU 0, the others follow in the MADT's order.
/// An entry whose ID has come before keeps its number and is not reachable. Chooses the
/// LAPIC's mode, and finds out which CPU is whose primary thread. By CPU 0, once.
[[nodiscard]] Census number_cpus(const acpi::Root &root);

/// Whether every CPU that was numbered can be kicked, so that all can be by one broadcast.
[[nodiscard]] bool are_all_reachable(unsigned cpus);

extern abi::CpuSlot *slots;
extern AreaPool areas;
extern core::Settings settings;
extern abi::Wait waiting;
/// A broadcast starts all CPUs that are to be brought up, and no other.
extern bool kicks_together;

using Arrivals = core::Arrivals<std::atomic<std::uint64_t>, abi::kMaxCpus>;
extern Arrivals arrivals;

} // namespace reveille::guest::smp
