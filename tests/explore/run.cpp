#include "tests/explore/run.hpp"

#include "core/abi/event.hpp"
#include "tests/explore/limits.hpp"
#include "vmm/scenario/places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <stdexcept>

namespace reveille::explore {

using abi::Event;
using abi::EventKind;
using vmm::CpuIndex;
using vmm::CpuOutcome;
using vmm::CpuVerdict;
using vmm::FaultSpec;
using vmm::Firing;
using vmm::HoldEnd;
using vmm::Observation;
using vmm::Scenario;

Ran run(const Scenario &scenario) {
  Ran ran;
  auto seen = vmm::sim::simulate(scenario, {}, &ran.cost);
  if (!seen)
    throw std::runtime_error(seen.error().message);
  ran.seen = std::move(*seen);
  ran.verdict = vmm::judge(scenario, ran.seen);
  return ran;
}

std::string outcome(const CpuVerdict &cpu) {
  switch (cpu.outcome) {
  case CpuOutcome::kOnline:
    return "online";
  case CpuOutcome::kFailed:
    return cpu.reason;
  case CpuOutcome::kNotAttempted:
    break;
  }
  return "not attempted";
}

bool stops_control_cpu(const Scenario &scenario) {
  return std::ranges::any_of(scenario.faults, [](const FaultSpec &fault) {
    return fault.endless() && std::ranges::binary_search(fault.cpus, CpuIndex{0});
  });
}

bool has_faulty_delivery(const Scenario &scenario, CpuIndex cpu) {
  return std::ranges::any_of(scenario.faults, [cpu](const FaultSpec &fault) {
    return std::holds_alternative<vmm::DeliveryPlace>(fault.at.where) &&
           (std::ranges::binary_search(fault.cpus, cpu) ||
            (fault.action == vmm::Action::kRedirect && fault.to == cpu));
  });
}

bool has_faulty_firmware(const Scenario &scenario, CpuIndex cpu) {
  return std::ranges::any_of(scenario.faults, [cpu](const FaultSpec &fault) {
    return std::holds_alternative<vmm::FirmwarePlace>(fault.at.where) &&
           (std::ranges::binary_search(fault.cpus, cpu) ||
            (vmm::is_one_of(fault.action, {vmm::Action::kSameId, vmm::Action::kSwapId}) && fault.to == cpu));
  });
}

bool has_written_word(const Scenario &scenario, CpuIndex cpu) {
  return std::ranges::any_of(scenario.faults, [cpu](const FaultSpec &fault) {
    return vmm::is_one_of(fault.action, {vmm::Action::kFlip, vmm::Action::kStale}) &&
           std::ranges::binary_search(fault.cpus, cpu);
  });
}

bool is_struck(const Scenario &scenario, CpuIndex cpu) {
  return has_faulty_delivery(scenario, cpu) || has_faulty_firmware(scenario, cpu) ||
         std::ranges::any_of(scenario.faults, [cpu](const FaultSpec &fault) {
           const bool elsewhere = vmm::is_on_control_cpu(fault.at) && fault.action != vmm::Action::kFail;
           return !elsewhere && std::ranges::binary_search(fault.cpus, cpu);
         });
}

namespace {

/// Whether a fault can strike a CPU that brings another one up: because it is up itself, or in
/// what it does for the other.
bool strikes_control_cpus(const FaultSpec &fault) {
  const auto *guest = std::get_if<vmm::GuestPlace>(&fault.at.where);
  return guest == nullptr || guest->place == abi::Place::kActiveReleased || vmm::is_on_control_cpu(fault.at);
}

/// For how long a CPU was kept from the control side's work, milliseconds.
double held_as_control_ms(const Scenario &scenario, const Observation &seen, CpuIndex cpu) {
  double held_us = 0;
  for (const Firing &firing : seen.firings) {
    if (firing.vcpu != cpu || !strikes_control_cpus(scenario.faults[firing.fault]))
      continue;
    if (firing.end == HoldEnd::kHolding || firing.end == HoldEnd::kCrashed || firing.end == HoldEnd::kReset)
      return std::numeric_limits<double>::infinity();
    held_us += firing.ended_us - firing.began_us;
  }
  return held_us / 1000;
}

} // namespace

bool may_reset_a_control_cpu(const Scenario &scenario) {
  return std::ranges::any_of(scenario.faults, [](const FaultSpec &fault) {
    return std::holds_alternative<vmm::DeliveryPlace>(fault.at.where) &&
           vmm::is_one_of(fault.action,
                          {vmm::Action::kDelay, vmm::Action::kLateInit, vmm::Action::kRedirect});
  });
}

/// A lease lapses between one and two timeouts after it was last renewed; the control CPU then
/// has one more to let go.
bool may_be_lost(const Scenario &scenario, const Observation &seen, CpuIndex cpu) {
  if (scenario.bringup.strategy != abi::Strategy::kTree)
    return false;
  if (may_reset_a_control_cpu(scenario))
    return true;
  return std::ranges::any_of(seen.cpus[0].events, [&](const Event &event) {
    return event.kind == EventKind::kDelegated && event.cpu == cpu &&
           held_as_control_ms(scenario, seen, static_cast<CpuIndex>(event.a)) >=
               2 * scenario.bringup.timeout_ms;
  });
}

namespace {

void check_end(const Scenario &scenario, const Ran &ran, std::vector<std::string> &out) {
  const Observation &seen = ran.seen;
  const bool may_stop = stops_control_cpu(scenario);
  if (seen.end != vmm::RunEnd::kComplete && !may_stop)
    out.push_back("the run did not end by itself: " + seen.end_detail);
  if (seen.decided_tsc == 0 && !may_stop)
    out.emplace_back("not every CPU was decided");
  if (seen.total_us > seen.bound_ms * 1000 + 1) // both are rounded
    out.push_back(fmt::format("the run took {} us, and its bound is {} ms", seen.total_us, seen.bound_ms));
}

void check_verdict(const Ran &ran, std::vector<std::string> &out) {
  for (const vmm::InvariantVerdict &invariant : ran.verdict.invariants)
    if (invariant.holds == false)
      out.push_back(fmt::format("{} is broken: {}", invariant.name, invariant.evidence));
  if (ran.verdict.exit == vmm::ExitStatus::kBroken && out.empty())
    out.emplace_back("the exit status is 4, and no invariant is broken");
}

/// Requested = online + failed, the rest not attempted.
void check_account(const Scenario &scenario, const Ran &ran, std::vector<std::string> &out) {
  const auto &cpus = ran.verdict.cpus;
  if (cpus.size() != scenario.machine.vcpus)
    out.push_back(fmt::format("{} of {} CPUs are judged", cpus.size(), scenario.machine.vcpus));
  for (const CpuVerdict &cpu : cpus)
    if ((cpu.outcome == CpuOutcome::kNotAttempted) != (cpu.cpu >= scenario.bringup.max_cpus))
      out.push_back(fmt::format("CPU {}: {}, of {} that were requested", cpu.cpu, outcome(cpu),
                                scenario.bringup.max_cpus));
}

/// A CPU to which nothing was done comes up at its first attempt.
void check_crosstalk(const Scenario &scenario, const Ran &ran, std::vector<std::string> &out) {
  if (stops_control_cpu(scenario))
    return;
  for (const CpuVerdict &cpu : ran.verdict.cpus) {
    if (cpu.outcome == CpuOutcome::kNotAttempted || is_struck(scenario, cpu.cpu))
      continue;
    if (held_as_control_ms(scenario, ran.seen, cpu.cpu) >= scenario.bringup.timeout_ms)
      continue; // while it brought another one up
    const bool lost = cpu.reason.starts_with("lost@") && may_be_lost(scenario, ran.seen, cpu.cpu);
    const bool clean = cpu.outcome == CpuOutcome::kOnline && cpu.quarantined == 0 &&
                       cpu.attempts == (cpu.cpu == 0 ? 0U : 1U);
    if (!lost && !clean)
      out.push_back(fmt::format("nothing was done to CPU {}: {} after {} attempts, {} of them in quarantine",
                                cpu.cpu, outcome(cpu), cpu.attempts, cpu.quarantined));
  }
}

/// What the control side last said of a CPU: that it is up, or why it has failed.
struct Said {
  bool up = false;
  bool lost = false;
};

Said last_said(const Observation &seen, CpuIndex cpu) {
  std::uint64_t at = 0;
  Said said;
  for (const vmm::CpuObservation &writer : seen.cpus)
    for (const Event &event : writer.events)
      if (event.cpu == cpu && event.tsc >= at &&
          (event.kind == EventKind::kOnline || event.kind == EventKind::kFailed)) {
        at = event.tsc;
        said.up = event.kind == EventKind::kOnline;
        said.lost = !said.up && abi::failure_of(event.b).reason == abi::FailReason::kLost;
      }
  return said;
}

/// Whoever is up has an area, and each attempt in quarantine. An AP that was lost with its
/// control CPU may have one more, because nobody may touch it.
void check_areas(const Scenario &scenario, const Ran &ran, std::vector<std::string> &out) {
  if (stops_control_cpu(scenario))
    return;
  std::uint32_t least = 0;
  std::uint32_t lost = 0;
  for (const CpuVerdict &cpu : ran.verdict.cpus) {
    if (cpu.cpu == 0)
      continue;
    const Said said = last_said(ran.seen, cpu.cpu); // it may have crashed since
    least += cpu.quarantined + (said.up ? 1 : 0);
    lost += said.lost ? 1 : 0;
  }
  const std::uint32_t used = ran.cost.areas_in_use;
  if (used < least || used > least + lost)
    out.push_back(fmt::format("{} areas are in use at the end; CPUs that are up and attempts in quarantine "
                              "make {}, and {} CPUs are lost",
                              used, least, lost));
}

} // namespace

std::vector<std::string> complaints(const Scenario &scenario, const Ran &ran) {
  std::vector<std::string> out;
  check_end(scenario, ran, out);
  check_verdict(ran, out);
  check_account(scenario, ran, out);
  check_crosstalk(scenario, ran, out);
  check_areas(scenario, ran, out);
  std::ranges::copy(broken_limits(scenario, ran.seen), std::back_inserter(out));
  return out;
}

namespace {

bool same_events(const std::vector<Event> &a, const std::vector<Event> &b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Event)) == 0);
}

bool same_cpu(const vmm::CpuObservation &a, const vmm::CpuObservation &b) {
  const bool vcpu = a.vcpu.has_value() == b.vcpu.has_value() &&
                    (!a.vcpu || (a.vcpu->mp_state == b.vcpu->mp_state && a.vcpu->by == b.vcpu->by));
  return a.word == b.word && a.lost_events == b.lost_events && same_events(a.events, b.events) && vcpu;
}

bool same_firing(const Firing &a, const Firing &b) {
  return a.fault == b.fault && a.cpu == b.cpu && a.vcpu == b.vcpu && a.attempt == b.attempt &&
         a.began_us == b.began_us && a.ended_us == b.ended_us && a.end == b.end && a.aftermath == b.aftermath;
}

bool same_account(const vmm::FaultAccount &a, const vmm::FaultAccount &b) {
  return a.fault == b.fault && a.cpu == b.cpu && a.fired == b.fired && a.seen_through == b.seen_through;
}

bool same_crash(const vmm::CrashEvidence &a, const vmm::CrashEvidence &b) {
  return a.cpu == b.cpu && a.attempt == b.attempt && a.what == b.what;
}

} // namespace

bool same(const Observation &a, const Observation &b) {
  return a.end == b.end && a.end_detail == b.end_detail && a.zero_tsc == b.zero_tsc &&
         a.decided_tsc == b.decided_tsc && a.total_us == b.total_us &&
         std::ranges::equal(a.cpus, b.cpus, same_cpu) &&
         std::ranges::equal(a.firings, b.firings, same_firing) &&
         std::ranges::equal(a.faults, b.faults, same_account) &&
         std::ranges::equal(a.crashes, b.crashes, same_crash);
}

} // namespace reveille::explore
