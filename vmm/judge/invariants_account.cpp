// Invariants about numbers: owners, costs, counts.
#include "vmm/judge/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace reveille::vmm {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Word;
using protocol::Section;

namespace {

const FaultSpec &spec_of(const JudgeContext &context, std::size_t fault) {
  return context.scenario.faults[fault];
}

bool holds_control(const JudgeContext &context, const Firing &firing) {
  const auto *place = std::get_if<GuestPlace>(&spec_of(context, firing.fault).at.where);
  return firing.cpu == 0 || (place != nullptr && place->place == abi::Place::kKick);
}

/// For how long the faults kept CPU 0 from working, microseconds.
double control_held_us(const JudgeContext &context) {
  double held = 0;
  for (const Firing &firing : context.evidence.seen().firings)
    if (holds_control(context, firing) && firing.end != HoldEnd::kHolding)
      held += firing.ended_us - firing.began_us;
  return held;
}

bool requested(const JudgeContext &context, CpuIndex cpu) {
  return cpu > 0 && cpu < context.scenario.bringup.max_cpus;
}

} // namespace

/// The CP names the area of each attempt as it kicks; an area is free again when PREPARE's
/// first step, undone last, has been undone.
Finding look_single_owner(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  std::map<std::uint64_t, std::pair<CpuIndex, std::uint32_t>> owner; // area: CPU, attempt
  if (!seen.cpus.empty())
    for (const Event &event : seen.cpus[0].events) {
      if (event.kind == EventKind::kKick) {
        const auto [it, fresh] = owner.try_emplace(event.b, event.cpu, event.attempt);
        if (!fresh)
          return fmt::format("area {} was given to CPU {} (attempt {}) while CPU {} (attempt {}) had it",
                             event.b, event.cpu, event.attempt, it->second.first, it->second.second);
      }
      if (event.kind == EventKind::kUndoDone && event.a == 0 &&
          (event.b & 0xff) == static_cast<std::uint64_t>(Section::kPrepare))
        std::erase_if(owner, [&](const auto &entry) {
          return entry.second == std::pair<CpuIndex, std::uint32_t>{event.cpu, event.attempt};
        });
    }
  if (seen.zero_tsc == 0)
    return std::nullopt; // the guest says which ID is whose before its first kick, and not at once
  std::map<std::uint32_t, CpuIndex> by_id;
  for (CpuIndex cpu = 0; cpu < std::min<std::uint32_t>(seen.found_cpus, context.evidence.cpus()); ++cpu) {
    const auto [it, fresh] = by_id.try_emplace(seen.cpus[cpu].apic_id, cpu);
    if (!fresh)
      return fmt::format("CPUs {} and {} both have APIC ID {}", it->second, cpu, it->first);
  }
  return std::nullopt;
}

Finding look_online_window(const JudgeContext &context) {
  for (const CpuVerdict &cpu : context.cpus) {
    if (!requested(context, cpu.cpu))
      continue;
    const std::uint64_t word = context.evidence.seen().cpus[cpu.cpu].word;
    const bool online = Word::is_valid(word) && protocol::is_online(Word::from(word).state);
    const bool said =
        std::any_of(context.evidence.by_control(cpu.cpu).begin(), context.evidence.by_control(cpu.cpu).end(),
                    [](const Noted &note) { return note.event.kind == EventKind::kOnline; });
    if (said && !online)
      return fmt::format("CPU {} was called up, and its word does not count as online", cpu.cpu);
    if (!said && online && context.evidence.seen().end == RunEnd::kComplete)
      return fmt::format("the word of CPU {} counts as online, and nobody called it up", cpu.cpu);
  }
  return std::nullopt;
}

Finding look_one_writer(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    std::set<std::uint64_t> made;
    for (const Move &move : context.evidence.moves(cpu))
      if (!made.insert(move.to.bits()).second)
        return fmt::format("the word of CPU {} was moved twice to (attempt {}, {}, step {})", cpu,
                           move.to.attempt, protocol::name(move.to.state), move.to.step);
    unsigned completions = 0;
    for (const Noted &note : context.evidence.by_control(cpu))
      if (note.event.kind == EventKind::kOnline || note.event.kind == EventKind::kFailed)
        ++completions;
    if (completions > 1)
      return fmt::format("CPU {} was decided {} times", cpu, completions);
  }
  return std::nullopt;
}

Finding look_bounded_waits(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  if (seen.end == RunEnd::kBound && seen.decided_tsc == 0)
    return fmt::format("{}, and not every CPU was decided", seen.end_detail);
  return std::nullopt;
}

namespace {

/// What dead APs may cost by the strategy, in timeouts (design, "Time").
double allowed_timeouts(const JudgeContext &context) {
  std::uint32_t dead = 0;
  std::uint32_t timeouts = 0;
  std::uint32_t later = 0; // past alive
  bool before_alive = false;
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    bool any = false;
    for (const Noted &note : context.evidence.by_control(cpu))
      if (note.event.kind == EventKind::kTimeout) {
        const bool early = Word::from(note.event.a).state < State::kAlive;
        any = true;
        ++timeouts;
        before_alive = before_alive || early;
        later += early ? 0 : 1;
      }
    dead += any ? 1 : 0;
  }
  const BringupSpec &bringup = context.scenario.bringup;
  const std::uint32_t window = bringup.window == 0 ? std::max(dead, 1u) : bringup.window;
  const double windowfuls = std::ceil(static_cast<double>(dead) / window);
  switch (bringup.strategy) {
  case abi::Strategy::kSerial:
    return timeouts;
  case abi::Strategy::kSplit:
    return (before_alive ? windowfuls * bringup.attempts : 0) + later;
  case abi::Strategy::kParallel:
    break;
  }
  return windowfuls * bringup.attempts;
}

/// How long CPU 0 had nothing to do before the turns that it had to end: what the dead cost.
double waited_for_dead_us(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  double waited = 0;
  const std::vector<Event> &events = seen.cpus[0].events;
  for (std::size_t i = 1; i < events.size(); ++i)
    if (events[i].kind == EventKind::kTimeout && i >= 2) // behind the swap that goes with it
      waited += std::max(0.0, seen.us(events[i].tsc) - seen.us(events[i - 2].tsc));
  return waited;
}

} // namespace

Finding look_dead_cost(const JudgeContext &context) {
  if (context.evidence.seen().cpus.empty())
    return std::nullopt;
  const double allowed_us = allowed_timeouts(context) * context.scenario.bringup.timeout_ms * 1000;
  const double waited_us = waited_for_dead_us(context);
  const double limit_us = allowed_us * 1.5 + 200'000 + control_held_us(context);
  if (waited_us <= limit_us)
    return std::nullopt;
  return fmt::format(
      "dead CPUs cost {:.1f} ms; the strategy allows {:.1f} ms, and {:.1f} ms with what is spared",
      waited_us / 1000, allowed_us / 1000, limit_us / 1000);
}

/// A CPU that fails has something of its own to fail of.
Finding look_no_crosstalk(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  const bool control_held = std::any_of(seen.firings.begin(), seen.firings.end(),
                                        [&](const Firing &firing) { return holds_control(context, firing); });
  if (seen.firings.empty() || control_held || seen.end != RunEnd::kComplete)
    return std::nullopt;
  for (const CpuVerdict &cpu : context.cpus) {
    if (cpu.outcome != CpuOutcome::kFailed)
      continue;
    const auto about = [&](const auto &entry) { return entry.cpu == cpu.cpu; };
    if (!std::any_of(seen.firings.begin(), seen.firings.end(), about) &&
        !std::any_of(seen.crashes.begin(), seen.crashes.end(), about) && !cpu.reason.starts_with("error@"))
      return fmt::format("CPU {} failed with {}, and nothing had been done to it", cpu.cpu, cpu.reason);
  }
  return std::nullopt;
}

Finding look_injected_exactly(const JudgeContext &context) {
  for (const FaultAccount &account : context.evidence.seen().faults)
    if (account.fired > spec_of(context, account.fault).count)
      return fmt::format("fault {} fired {} times on CPU {}", account.fault, account.fired, account.cpu);
  return std::nullopt;
}

Finding look_no_self_init(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  if (seen.cpus.empty())
    return std::nullopt;
  for (const Event &event : seen.cpus[0].events)
    if ((event.kind == EventKind::kKick || event.kind == EventKind::kStop) &&
        (event.cpu == 0 || event.cpu >= context.evidence.cpus()))
      return fmt::format("CPU 0 sent an INIT to CPU {}", event.cpu);
  return std::nullopt;
}

Finding look_accounted(const JudgeContext &context) {
  unsigned online = 0;
  unsigned failed = 0;
  for (const CpuVerdict &cpu : context.cpus) {
    online += cpu.outcome == CpuOutcome::kOnline ? 1 : 0;
    failed += cpu.outcome == CpuOutcome::kFailed ? 1 : 0;
    if (cpu.cpu >= context.scenario.bringup.max_cpus && cpu.attempts > 0)
      return fmt::format("CPU {} was kicked, and nobody had asked for it", cpu.cpu);
    if (requested(context, cpu.cpu) && cpu.attempts == 0 && context.evidence.seen().end == RunEnd::kComplete)
      return fmt::format("CPU {} was asked for, and never kicked", cpu.cpu);
  }
  if (online + failed != context.scenario.bringup.max_cpus)
    return fmt::format("{} CPUs were asked for, {} are online and {} failed",
                       context.scenario.bringup.max_cpus, online, failed);
  return std::nullopt;
}

} // namespace reveille::vmm
