#include "guest/clock/tsc.hpp"

#include "guest/clock/measure.hpp"
#include "guest/clock/pit.hpp"
#include "guest/clock/pm_timer.hpp"
#include "guest/x86/cpu.hpp"

namespace reveille::guest::clock {

constinit std::uint64_t tsc_khz = 0;

namespace {

/// CPUID 15H "Time Stamp Counter and Nominal Core Crystal Clock" (SDM vol. 2A, "CPUID").
std::uint64_t stated_by_crystal() {
  constexpr std::uint32_t kLeaf = 0x15;
  if (x86::cpuid(0).eax < kLeaf)
    return 0;
  const x86::Cpuid r = x86::cpuid(kLeaf);
  if (r.eax == 0 || r.ebx == 0 || r.ecx == 0)
    return 0;
  return std::uint64_t{r.ecx} * r.ebx / r.eax / 1000;
}

/// The leaf that VMware began and others have taken up: EAX the TSC's kHz, EBX the LAPIC
/// timer's. Zeros where there is no hypervisor or it has no such leaf.
x86::Cpuid hypervisor_timing() {
  constexpr std::uint32_t kLeaf = 0x40000010;
  if (!x86::is_virtual())
    return {};
  const std::uint32_t last = x86::cpuid(0x40000000).eax;
  if (last < kLeaf || last > 0x4000ffff)
    return {};
  return x86::cpuid(kLeaf);
}

/// CPUID 16H "Processor Frequency Information": whole MHz, and of the base clock, not
/// of the TSC. Only better than nothing.
std::uint64_t stated_base() {
  constexpr std::uint32_t kLeaf = 0x16;
  return x86::cpuid(0).eax < kLeaf ? 0 : std::uint64_t{x86::cpuid(kLeaf).eax & 0xffff} * 1000;
}

} // namespace

std::uint64_t find_tsc_khz(const Sources &sources) {
  if (const std::uint64_t khz = stated_by_crystal(); khz != 0)
    return khz;
  if (const std::uint64_t khz = hypervisor_timing().eax; khz != 0)
    return khz;
  if (sources.given_tsc_khz != 0)
    return sources.given_tsc_khz;
  if (sources.pm_timer_port != 0) {
    const PmTimer timer(sources.pm_timer_port, sources.pm_timer_is_32_bit);
    if (const std::uint64_t khz = measure_tsc_khz(timer); khz != 0)
      return khz;
  }
  if (const std::uint64_t khz = measure_tsc_khz(Pit()); khz != 0)
    return khz;
  return stated_base();
}

std::uint64_t stated_lapic_hz() { return std::uint64_t{hypervisor_timing().ebx} * 1000; }

} // namespace reveille::guest::clock
