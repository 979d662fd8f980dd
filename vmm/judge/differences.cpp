#include "vmm/judge/differences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace reveille::vmm {

namespace {

/// A requested CPU that is neither in `online` nor in `failed` must fail, whatever the reason.
std::string expected_of(const Scenario &scenario, const CpuVerdict &cpu) {
  const ExpectSpec &expect = scenario.expect;
  if (const auto it = expect.failed.find(cpu.cpu); it != expect.failed.end())
    return it->second;
  if (std::binary_search(expect.online.begin(), expect.online.end(), cpu.cpu))
    return "online";
  if (cpu.cpu >= scenario.bringup.max_cpus)
    return "not attempted";
  return cpu.outcome == CpuOutcome::kFailed ? cpu.reason : "any failure";
}

std::string actual_of(const CpuVerdict &cpu) {
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

/// Whether the scenario has the control CPU die, and it did: the run ends there, and nothing more is seen.
bool died_as_expected(const Scenario &scenario, const Observation &seen) {
  return seen.end == RunEnd::kControlDied && scenario.expect.failed.contains(0);
}

void compare_faults(const Scenario &scenario, const Observation &seen, std::vector<std::string> &out) {
  for (const FaultAccount &account : seen.faults) {
    const FaultSpec &spec = scenario.faults[account.fault];
    if (account.fired < spec.count && spec.probability >= 1)
      out.push_back(fmt::format("fault {} (at {}) fired {} of {} times on CPU {}", account.fault,
                                spec.at.text, account.fired, spec.count, account.cpu));
    else if (!account.seen_through && seen.end != RunEnd::kInterrupted && !died_as_expected(scenario, seen))
      out.push_back(fmt::format("fault {} (at {}) fired on CPU {}, and what the CPU made of it was not seen",
                                account.fault, spec.at.text, account.cpu));
  }
  for (const Firing &firing : seen.firings)
    if (firing.end == HoldEnd::kHolding && firing.aftermath == Aftermath::kAtRest)
      out.push_back(fmt::format("fault {} (at {}) found CPU {} without an instruction to crash at",
                                firing.fault, scenario.faults[firing.fault].at.text, firing.cpu));
}

/// When the CP gave an attempt up, microseconds from time zero.
std::optional<double> given_up_us(const Evidence &evidence, const Firing &firing) {
  for (const Noted &note : evidence.by_control(firing.cpu))
    if (note.event.kind == abi::EventKind::kTimeout && note.event.attempt == firing.attempt)
      return evidence.seen().us(note.event.tsc);
  return std::nullopt;
}

/// Whether the attempt that a fault struck had been claimed when it was given up.
bool was_claimed(const Evidence &evidence, const Firing &firing) {
  const auto &notes = evidence.by_control(firing.cpu);
  return std::any_of(notes.begin(), notes.end(), [&](const Noted &note) {
    return note.event.kind == abi::EventKind::kQuarantined && note.event.attempt == firing.attempt;
  });
}

/// Whether it was kicked again after that: its INIT has ended whatever the attempt was at.
bool was_kicked_again(const Evidence &evidence, const Firing &firing) {
  const auto &notes = evidence.by_control(firing.cpu);
  return std::any_of(notes.begin(), notes.end(), [&](const Noted &note) {
    return note.event.kind == abi::EventKind::kKick && note.event.attempt > firing.attempt;
  });
}

/// Whether a fault sends an INIT from nowhere to a CPU: then one that it takes tells nothing.
bool has_stray_init(const Scenario &scenario, CpuIndex cpu) {
  return std::ranges::any_of(scenario.faults, [cpu](const FaultSpec &fault) {
    return fault.action == Action::kReset && fault.strikes(cpu);
  });
}

/// Whether a fault keeps the INIT of giving up from a CPU, or from coming in time.
bool has_faulty_stop(const Scenario &scenario, CpuIndex cpu) {
  return std::ranges::any_of(scenario.faults, [cpu](const FaultSpec &fault) {
    const auto *where = std::get_if<DeliveryPlace>(&fault.at.where);
    return where != nullptr && where->what == Delivery::kStop && fault.strikes(cpu);
  });
}

/// What the INIT of giving up, or its absence, did to a vCPU that was held at the time. A hold
/// that ended at about the same time as the attempt tells nothing.
void compare_stop(const Scenario &scenario, const Evidence &evidence, std::vector<std::string> &out) {
  constexpr double kAtAboutTheSameTimeUs = 20'000;
  const bool init = scenario.bringup.stop == abi::Stop::kInit;
  for (const Firing &firing : evidence.seen().firings) {
    if (firing.cpu == 0)
      continue;
    const auto given_up = given_up_us(evidence, firing);
    if (!given_up || firing.ended_us < *given_up + kAtAboutTheSameTimeUs)
      continue;
    const bool took_init = firing.end == HoldEnd::kReset || firing.aftermath == Aftermath::kTookInit;
    const bool parked = firing.end == HoldEnd::kReleased && firing.aftermath == Aftermath::kParked;
    if (firing.end == HoldEnd::kReleased && firing.aftermath == Aftermath::kAtRest &&
        was_claimed(evidence, firing) && !was_kicked_again(evidence, firing))
      out.push_back(fmt::format("CPU {} halted after it was given up, and did not park", firing.cpu));
    if (init && parked && !has_faulty_stop(scenario, firing.cpu))
      out.push_back(fmt::format(
          "CPU {} parked after it was given up, and should have taken an INIT before that", firing.cpu));
    if (!init && took_init && scenario.bringup.attempts == 1 && !has_stray_init(scenario, firing.cpu))
      out.push_back(
          fmt::format("CPU {} took an INIT after it was given up, and stop is \"none\"", firing.cpu));
  }
}

/// The control CPU that met it for its TSC last.
CpuIndex tsc_server(const Evidence &evidence, CpuIndex cpu) {
  CpuIndex server = 0;
  for (const Noted &note : evidence.by_control(cpu))
    if (note.event.kind == abi::EventKind::kTscServed)
      server = note.writer;
  return server;
}

/// Whether a skew is what the rendezvous has measured, where it has. Half of it is spared for what the
/// host's own TSCs are apart. In tree it may be measured by a CPU that is off itself.
void compare_skew(const Scenario &scenario, const Evidence &evidence, const Verdict &verdict,
                  std::vector<std::string> &out) {
  const Observation &seen = evidence.seen();
  std::map<CpuIndex, double> skews_us;
  for (const FaultAccount &account : seen.faults)
    if (const FaultSpec &fault = scenario.faults[account.fault];
        fault.action == Action::kSkew && account.fired != 0)
      skews_us[account.cpu] = fault.skew_us;
  for (const auto &[index, own_us] : skews_us) {
    const CpuVerdict &cpu = verdict.cpus[index];
    if (!cpu.skew_ticks)
      continue;
    const auto server = skews_us.find(tsc_server(evidence, index));
    const double skew_us = own_us - (server == skews_us.end() ? 0 : server->second);
    const double measured_us = static_cast<double>(*cpu.skew_ticks) * 1000 / seen.tsc_khz;
    const double resolution_us = static_cast<double>(cpu.skew_resolution) * 1000 / seen.tsc_khz;
    if (std::abs(measured_us - skew_us) > std::abs(own_us) / 2 + resolution_us)
      out.push_back(fmt::format("CPU {}: its TSC was put off by {} us, and measured to be off by {:.1f} us",
                                index, skew_us, measured_us));
  }
}

} // namespace

std::vector<std::string> find_differences(const Scenario &scenario, const Evidence &evidence,
                                          const Verdict &verdict) {
  const Observation &seen = evidence.seen();
  std::vector<std::string> out;
  if (seen.end != RunEnd::kComplete && !died_as_expected(scenario, seen))
    out.push_back(seen.end_detail);
  for (const CpuVerdict &cpu : verdict.cpus) {
    const std::string expected = expected_of(scenario, cpu);
    if (const std::string actual = actual_of(cpu); actual != expected)
      out.push_back(fmt::format("CPU {}: expected {}, got {}", cpu.cpu, expected, actual));
    const auto most = scenario.expect.attempts.find(cpu.cpu);
    if (most != scenario.expect.attempts.end() && cpu.attempts != most->second)
      out.push_back(
          fmt::format("CPU {}: expected {} attempts, needed {}", cpu.cpu, most->second, cpu.attempts));
  }
  if (scenario.expect.within_ms) {
    if (!verdict.decided_us)
      out.push_back(fmt::format("expected every CPU decided within {} ms, and not every one was",
                                *scenario.expect.within_ms));
    else if (*verdict.decided_us > *scenario.expect.within_ms * 1000)
      out.push_back(fmt::format("expected every CPU decided within {} ms, took {:.1f} ms",
                                *scenario.expect.within_ms, *verdict.decided_us / 1000));
  }
  compare_faults(scenario, seen, out);
  compare_stop(scenario, evidence, out);
  compare_skew(scenario, evidence, verdict, out);
  return out;
}

} // namespace reveille::vmm
