#include "guest/smp/cp_environment.hpp"

#include "guest/clock/tsc.hpp"
#include "guest/smp/trampoline.hpp"

namespace reveille::guest::smp {

namespace {

void pass_time(std::uint64_t ticks) {
  if (ticks == 0)
    return;
  const std::uint64_t from = x86::rdtsc();
  while (x86::rdtsc() - from < ticks)
    x86::pause();
}

} // namespace

// The manual asks for 10 ms after INIT and 200 us after the first SIPI (SDM vol. 3A, 9.4.4.1
// "Typical BSP Initialization Sequence"). They are for the processor's sake, and a hypervisor
// needs none: a thousand APs kicked in a row would take ten seconds.
CpEnvironment::CpEnvironment(PerCpu &me, std::atomic<std::uint32_t> &kicks)
    : EnvironmentBase(me), kicks_(kicks), after_init_(x86::is_virtual() ? 0 : 10 * clock::tsc_khz),
      after_startup_(x86::is_virtual() ? 0 : clock::tsc_khz / 5) {}

void CpEnvironment::publish_attempt(const core::StepTarget &target, std::uint32_t ordinal,
                                    std::uint32_t cycle) {
  abi::CpuSlot &slot = slots[target.cpu];
  slot.areas.area[target.attempt % abi::kPages] = target.token;
  slot.sync.ordinal.store(ordinal, std::memory_order_relaxed);
  slot.sync.cycle.store(cycle, std::memory_order_relaxed);
}

/// INIT, SIPI, SIPI, to whom send(icr) sends.
template <class Send> void CpEnvironment::start(std::uint32_t attempt, Send &&send) {
  const lapic::Icr start_up = lapic::icr_start_up(start_up_vector(attempt));
  send(lapic::kIcrInit);
  pass_time(after_init_);
  send(start_up);
  pass_time(after_startup_);
  send(start_up);
}

void CpEnvironment::kick(unsigned cpu, std::uint32_t attempt) {
  const Identity &identity = identities[cpu];
  if (!identity.is_reachable) // it would be someone else who is started
    return;
  kicks_.fetch_add(1, std::memory_order_relaxed);
  start(attempt, [&](lapic::Icr icr) { lapic::send_start(identity.apic_id, icr); });
}

void CpEnvironment::kick_all(std::uint32_t attempt) {
  kicks_.fetch_add(settings.cpus - 1, std::memory_order_relaxed);
  start(attempt, [](lapic::Icr icr) { lapic::send(0, lapic::to_all_others(icr)); });
}

void CpEnvironment::stop(unsigned cpu, std::uint32_t) {
  ring_if_armed(abi::Place::kStop, cpu, slots[cpu]); // who wants to see where it is does so now
  if (identities[cpu].is_reachable)
    lapic::send_start(identities[cpu].apic_id, lapic::kIcrInit);
}

} // namespace reveille::guest::smp
