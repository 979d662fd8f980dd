// CPU 0 from the boot code on: finds out where it is, then brings the others up.
#include "guest/acpi/fadt.hpp"
#include "guest/boot/start_info.hpp"
#include "guest/clock/tsc.hpp"
#include "guest/lapic/lapic.hpp"
#include "guest/lapic/timer.hpp"
#include "guest/run/control_side.hpp"
#include "guest/run/output.hpp"
#include "guest/run/request.hpp"
#include "guest/run/resources.hpp"
#include "guest/run/serial.hpp"
#include "guest/run/summary.hpp"
#include "guest/x86/pic.hpp"
#include "guest/x86/tables.hpp"

#include <algorithm>

namespace reveille::guest::run {

namespace {

void find_clock(const acpi::Root &root, const abi::Request &request) {
  const acpi::PmTimerBlock pm_timer = acpi::find_pm_timer(root);
  clock::tsc_khz = clock::find_tsc_khz({request.tsc_khz, pm_timer.port, pm_timer.is_32_bit});
  if (clock::tsc_khz == 0)
    refuse(abi::Refusal::kNoClock);
  const std::uint64_t stated = clock::stated_lapic_hz();
  if (!lapic::choose_timer(clock::tsc_khz, stated != 0 ? stated : request.lapic_hz))
    refuse(abi::Refusal::kNoClock);
}

/// Numbers the CPUs, and returns how many there are.
unsigned find_cpus(const acpi::Root &root, const abi::Request &request) {
  const smp::Census census = smp::number_cpus(root);
  if (control_page != nullptr)
    control_page->report.found_cpus.store(census.cpus, std::memory_order_relaxed);
  if (!census.is_listed)
    refuse(abi::Refusal::kNoAcpi);
  if (census.is_too_many || census.cpus > request.cpus)
    refuse(abi::Refusal::kTooMany);
  return census.cpus;
}

void settle(const abi::Request &request, unsigned found, unsigned cpus) {
  smp::waiting = request.wait;
  // On a processor of its own firmware may keep CPUs to itself, which a broadcast would start too.
  smp::kicks_together = request.kicks == abi::Kicks::kTogether && cpus == found && x86::is_virtual() &&
                        smp::are_all_reachable(cpus);
  core::Settings &s = smp::settings;
  s.cpus = cpus;
  s.strategy = request.strategy;
  s.stop = request.stop;
  s.window = request.window;
  s.attempts = request.attempts;
  s.primary_threads_first = request.primary_threads_first != 0;
  s.set_timeout(request.timeout_us * clock::tsc_khz / 1000, clock::tsc_khz);
}

void publish(unsigned found, unsigned cpus) {
  for (unsigned cpu = 0; cpu < found; ++cpu)
    smp::slots[cpu].sync.apic_id = smp::identities[cpu].apic_id;
  if (control_page == nullptr)
    return;
  smp::publish_steps(control_page->steps);
  publish_kept(control_page->kept, cpus);
}

} // namespace

extern "C" [[noreturn]] void guest_main(const boot::StartInfo *info) {
  smp::tell_panic = report_panic;
  x86::silence_pics();
  lapic::adopt();
  const bool began_in_x2apic = lapic::x2apic;
  x86::build_interrupt_table(lapic::x2apic);
  smp::become(0, 0, 0);

  const bool is_pvh = info->magic == boot::StartInfo::kMagic;
  const boot::CommandLine words(is_pvh ? info->command_line : 0);
  const abi::Request request = read_request(words);
  if (!has_host)
    open_serial();
  if (!is_pvh)
    refuse(abi::Refusal::kNoMemory); // there is no memory map

  const acpi::Root root = acpi::Root::find(info->rsdp);
  if (!root.is_found())
    refuse(abi::Refusal::kNoAcpi);
  const unsigned found = find_cpus(root, request);
  if (lapic::x2apic != began_in_x2apic)
    x86::build_interrupt_table(lapic::x2apic);
  find_clock(root, request);
  lapic::enable(0);
  lapic::prepare_timer();

  boot::MemoryMap memory(*info);
  reserve_shared(memory);
  const unsigned cpus = std::min(found, request.max_cpus);
  settle(request, found, cpus);
  smp::seats = find_resources(memory, cpus, request);
  smp::register_steps();
  publish(std::min(found, control_page != nullptr ? request.cpus : cpus), cpus);
  smp::PerCpu &me = smp::become(0, 0, 0); // now it has a slot
  me.owed = protocol::Point::kActive;

  announce(cpus, request.strategy);
  abi::GuestReport own_report{};
  abi::GuestReport &report = control_page != nullptr ? control_page->report : own_report;
  smp::kicks = &report.kicks;
  ControlSide control(me, report);
  control.run(request.cycles);
  if (control_page == nullptr)
    exit_qemu(summarise(cpus, own_report));
  smp::ring(abi::Ring::kDecided, abi::Place::kZero, 0);
  control.serve();
}

} // namespace reveille::guest::run
