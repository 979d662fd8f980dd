// Invariants about numbers: owners, costs, counts.
#include "vmm/judge/invariants.hpp"
#include "vmm/scenario/roster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
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

/// Done to CPU 0, or to the CPU that kicks or prepares the one that the fault lists.
bool holds_control(const JudgeContext &context, const Firing &firing) {
  const FaultSpec &spec = spec_of(context, firing.fault);
  const bool in_guest = std::holds_alternative<GuestPlace>(spec.at.where);
  return firing.cpu == 0 || (in_guest && firing.vcpu != firing.cpu && spec.action != Action::kFail);
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

namespace {

/// An area is given to an attempt, or free again. The CP names it as it kicks; it is free when
/// PREPARE's first step, undone last, begins to be undone.
struct AreaEvent {
  std::uint64_t tsc;
  bool given;
  Event event;
};

std::vector<AreaEvent> area_events(const Evidence &evidence) {
  std::vector<AreaEvent> events;
  for (CpuIndex cpu = 1; cpu < evidence.cpus(); ++cpu)
    for (const Noted &note : evidence.by_control(cpu)) {
      const Event &event = note.event;
      if (event.kind == EventKind::kKick)
        events.push_back({event.tsc, true, event});
      if (event.kind == EventKind::kUndoEnter && event.a == 0 &&
          (event.b & 0xff) == static_cast<std::uint64_t>(Section::kPrepare))
        events.push_back({event.tsc, false, event});
    }
  std::stable_sort(events.begin(), events.end(), [](const AreaEvent &a, const AreaEvent &b) {
    return std::pair(a.tsc, a.given) < std::pair(b.tsc, b.given);
  });
  return events;
}

/// The guest has found the CPUs that the firmware offers, and knows each by the ID that it is listed with.
/// A twin has another's, and must not be in the ID map.
Finding look_identities(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  const Roster roster(context.scenario);
  std::map<std::uint32_t, CpuIndex> by_id;
  std::uint32_t offered = 0;
  for (CpuIndex cpu = 0; cpu < context.evidence.cpus(); ++cpu) {
    const CpuObservation &of = seen.cpus[cpu];
    if (!is_found(of.presence) || offered++ >= seen.found_cpus)
      continue;
    if (of.apic_id != roster.listed_as(cpu))
      return fmt::format("the guest takes the CPU with APIC ID {} for CPU {}, which is listed with {}",
                         of.apic_id, cpu, roster.listed_as(cpu));
    const auto [it, fresh] = by_id.try_emplace(of.apic_id, cpu);
    if (!fresh && of.presence != Presence::kTwin && seen.cpus[it->second].presence != Presence::kTwin)
      return fmt::format("CPUs {} and {} both have APIC ID {}", it->second, cpu, it->first);
  }
  if (seen.found_cpus != offered)
    return fmt::format("the guest has found {} CPUs, and the firmware offers {}", seen.found_cpus, offered);
  return std::nullopt;
}

} // namespace

Finding look_single_owner(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  using Owner = std::pair<CpuIndex, std::uint32_t>; // CPU, attempt
  std::map<std::uint64_t, Owner> owner_of;          // by area
  std::map<Owner, std::uint64_t> area_of;
  for (const AreaEvent &entry : area_events(context.evidence)) {
    const Owner owner{entry.event.cpu, entry.event.attempt};
    if (!entry.given) {
      if (const auto it = area_of.find(owner); it != area_of.end()) {
        owner_of.erase(it->second);
        area_of.erase(it);
      }
      continue;
    }
    const auto [it, fresh] = owner_of.try_emplace(entry.event.b, owner);
    if (!fresh)
      return fmt::format("area {} was given to CPU {} (attempt {}) while CPU {} (attempt {}) had it",
                         entry.event.b, owner.first, owner.second, it->second.first, it->second.second);
    area_of[owner] = entry.event.b;
  }
  if (seen.zero_tsc == 0)
    return std::nullopt; // the guest says which ID is whose before its first kick, and not at once
  return look_identities(context);
}

Finding look_online_window(const JudgeContext &context) {
  for (const CpuVerdict &cpu : context.cpus) {
    if (!requested(context, cpu.cpu))
      continue;
    const std::uint64_t word = context.evidence.seen().cpus[cpu.cpu].word;
    const bool online = Word::is_valid(word) && protocol::is_online(Word::from(word).state);
    bool said = false;
    std::uint32_t attempt = 0;
    for (const Noted &note : context.evidence.by_control(cpu.cpu)) {
      attempt = std::max(attempt, note.event.attempt);
      if (note.event.kind == EventKind::kOnline)
        said = true;
      if (note.event.kind == EventKind::kTakeDown || note.event.kind == EventKind::kFailed)
        said = false;
    }
    if (context.evidence.is_written(cpu.cpu, attempt))
      continue; // it is what the host has made of it
    if (said && !online)
      return fmt::format("CPU {} was called up, and its word does not count as online", cpu.cpu);
    if (!said && online && !context.evidence.lost_tsc(cpu.cpu) &&
        context.evidence.seen().end == RunEnd::kComplete)
      return fmt::format("the word of CPU {} counts as online, and nobody called it up", cpu.cpu);
  }
  return std::nullopt;
}

Finding look_one_writer(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    std::set<std::uint64_t> made;
    for (const Move &move : context.evidence.moves(cpu))
      if (!made.insert(move.to.bits()).second && !context.evidence.is_written(cpu, move.to.attempt))
        return fmt::format("the word of CPU {} was moved twice to (attempt {}, {}, step {})", cpu,
                           move.to.attempt, protocol::name(move.to.state), move.to.step);
    std::set<std::pair<EventKind, std::uint32_t>> decisions;
    for (const Noted &note : context.evidence.by_control(cpu)) {
      const EventKind kind = note.event.kind;
      if (kind != EventKind::kOnline && kind != EventKind::kFailed && kind != EventKind::kOffline)
        continue;
      if (!decisions.insert({kind, note.event.attempt}).second)
        return fmt::format("CPU {} was decided twice in attempt {}", cpu, note.event.attempt);
    }
  }
  return std::nullopt;
}

namespace {

/// Of its timeout that a turn may be short of: the guest counts it in ticks, of a clock as it knows it.
constexpr double kTickShare = 0.01;

/// Whether it lets an AP go on, so that a turn of it begins: a kick, and every release.
bool begins_a_turn(const Event &event) {
  return event.kind == EventKind::kKick ||
         (event.kind == EventKind::kMoved && protocol::is_ap_owned(Word::from(event.b).state));
}

/// A turn is fresh, and an AP is given up when all of it is over, whatever the host was busy with: both are
/// told by the clock of one control CPU. What it does behind the end of a turn, it may come to late.
Finding look_short_turns(const JudgeContext &context, CpuIndex cpu) {
  const Observation &seen = context.evidence.seen();
  const double least_us = context.scenario.bringup.timeout_ms * 1000 * (1 - kTickShare);
  const auto lost = context.evidence.lost_tsc(cpu); // and is given up, whenever it comes back
  std::map<CpuIndex, std::uint64_t> begun;          // by the control CPU
  for (const Noted &note : context.evidence.by_control(cpu)) {
    if (begins_a_turn(note.event))
      begun[note.writer] = note.event.tsc;
    const auto it = begun.find(note.writer);
    if (note.event.kind != EventKind::kTimeout || it == begun.end() || (lost && note.event.tsc >= *lost))
      continue;
    const double us = seen.us(note.event.tsc) - seen.us(it->second);
    if (us < least_us)
      return fmt::format("CPU {} was given up in attempt {} after {:.3f} ms of a turn that has {} ms", cpu,
                         note.event.attempt, us / 1000, context.scenario.bringup.timeout_ms);
  }
  return std::nullopt;
}

} // namespace

/// Nothing that CPU 0 waits for can end while a fault holds it.
Finding look_bounded_waits(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  if (context.evidence.gap().empty())
    for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu)
      if (Finding bad = look_short_turns(context, cpu))
        return bad;
  const bool held = std::any_of(seen.firings.begin(), seen.firings.end(), [](const Firing &firing) {
    return firing.cpu == 0 && firing.end == HoldEnd::kHolding;
  });
  if (seen.end == RunEnd::kBound && seen.decided_tsc == 0 && !held)
    return fmt::format("{}, and not every CPU was decided", seen.end_detail);
  return std::nullopt;
}

namespace {

/// What came to its end by time while CPUs were brought up, or taken down, once.
struct DeadOfPhase {
  std::set<CpuIndex> cpus;
  std::uint32_t timeouts = 0;
  std::uint32_t later = 0; ///< past alive
  bool before_alive = false;
};

/// By the phase that they were in: up in cycle 1, down, up in cycle 2 and so on.
std::vector<DeadOfPhase> dead_by_phase(const JudgeContext &context) {
  std::vector<std::uint64_t> begins; // of each phase
  bool down = false;
  for (const Event &event : context.evidence.seen().cpus[0].events) {
    if (event.kind == EventKind::kCycle || (event.kind == EventKind::kTakeDown && !down)) {
      begins.push_back(event.tsc);
      down = event.kind == EventKind::kTakeDown;
    }
  }
  std::vector<DeadOfPhase> phases(begins.size() + 1);
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu)
    for (const Noted &note : context.evidence.by_control(cpu)) {
      if (note.event.kind != EventKind::kTimeout)
        continue;
      // No turn ends in the tick in which its phase begins: such a one is of the phase before.
      const auto phase = std::lower_bound(begins.begin(), begins.end(), note.event.tsc) - begins.begin();
      DeadOfPhase &dead = phases[static_cast<std::size_t>(phase)];
      const bool early = Word::from(note.event.a).state < State::kAlive;
      dead.cpus.insert(cpu);
      ++dead.timeouts;
      dead.before_alive = dead.before_alive || early;
      dead.later += early ? 0 : 1;
    }
  return phases;
}

/// APs that a fault has held on their own way: they come late, and meanwhile are in the window.
std::set<CpuIndex> held_cpus(const JudgeContext &context) {
  std::set<CpuIndex> held;
  for (const Firing &firing : context.evidence.seen().firings)
    if (firing.cpu != 0 && !holds_control(context, firing) && spec_of(context, firing.fault).holds())
      held.insert(firing.cpu);
  return held;
}

/// Windowfuls of APs that dead ones may be spread over. Siblings come after their primaries.
double windowfuls(const JudgeContext &context, const DeadOfPhase &dead) {
  const Scenario &scenario = context.scenario;
  const std::uint32_t threads = scenario.machine.threads_per_core;
  const auto waits_for_primary = [&](CpuIndex cpu) {
    return scenario.bringup.primary_threads_first && context.evidence.seen().cpus[cpu].apic_id % threads != 0;
  };
  std::set<CpuIndex> in_window = held_cpus(context);
  in_window.insert(dead.cpus.begin(), dead.cpus.end());
  double sum = 0;
  for (const bool siblings : {false, true}) {
    const auto are_meant = [&](CpuIndex cpu) { return waits_for_primary(cpu) == siblings; };
    if (std::none_of(dead.cpus.begin(), dead.cpus.end(), are_meant))
      continue;
    const auto count = std::count_if(in_window.begin(), in_window.end(), are_meant);
    sum += scenario.bringup.window == 0 ? 1 : std::ceil(static_cast<double>(count) / scenario.bringup.window);
  }
  return sum;
}

/// Turns that one CPU may cost: one for each attempt, and one more where the host has written words, of which
/// one may pass for an arrival.
double turns_of_one(const JudgeContext &context) {
  const auto &firings = context.evidence.seen().firings;
  const bool written = std::ranges::any_of(firings, [](const Firing &f) { return f.wrote.has_value(); });
  return context.scenario.bringup.attempts + (written ? 1 : 0);
}

/// What dead APs may cost by the strategy, in timeouts (design, "Time").
double allowed_timeouts(const JudgeContext &context, const DeadOfPhase &dead) {
  if (dead.timeouts == 0)
    return 0;
  const BringupSpec &bringup = context.scenario.bringup;
  const double fuls = windowfuls(context, dead);
  switch (bringup.strategy) {
  case abi::Strategy::kSerial:
    return dead.timeouts;
  case abi::Strategy::kSplit:
    return (dead.before_alive ? fuls * turns_of_one(context) : 0) + dead.later;
  case abi::Strategy::kTree: // one per level, and per further windowful
    return (std::bit_width(bringup.max_cpus) + fuls - 1) * turns_of_one(context);
  case abi::Strategy::kParallel:
    break;
  }
  return fuls * turns_of_one(context);
}

/// For how long any control CPU had nothing to do before the turns that it had to end: what the
/// dead cost, microseconds. Shorter gaps are its own work, of which a hundred thousand dead make
/// seconds.
constexpr double kWorkUs = 1000;

double waited_for_dead_us(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  std::vector<std::pair<double, double>> waits;
  for (const CpuObservation &cpu : seen.cpus)
    for (std::size_t i = 2; i < cpu.events.size(); ++i)
      if (cpu.events[i].kind == EventKind::kTimeout) { // behind the swap that goes with it
        const double from = seen.us(cpu.events[i - 2].tsc);
        const double to = seen.us(cpu.events[i].tsc);
        if (to - from > kWorkUs)
          waits.emplace_back(from, to);
      }
  std::sort(waits.begin(), waits.end());
  double waited = 0;
  double until = -std::numeric_limits<double>::infinity();
  for (const auto &[from, to] : waits) { // those of two control CPUs at once count once
    waited += std::max(0.0, to - std::max(from, until));
    until = std::max(until, to);
  }
  return waited;
}

} // namespace

Finding look_dead_cost(const JudgeContext &context) {
  if (context.evidence.seen().cpus.empty())
    return std::nullopt;
  double allowed = 0;
  for (const DeadOfPhase &dead : dead_by_phase(context))
    allowed += allowed_timeouts(context, dead);
  const double allowed_us = allowed * context.scenario.bringup.timeout_ms * 1000;
  const double waited_us = waited_for_dead_us(context);
  const double limit_us = allowed_us * 1.5 + 200'000 + control_held_us(context);
  if (waited_us <= limit_us)
    return std::nullopt;
  return fmt::format(
      "dead CPUs cost {:.1f} ms; the strategy allows {:.1f} ms, and {:.1f} ms with what is spared",
      waited_us / 1000, allowed_us / 1000, limit_us / 1000);
}

namespace {

bool lost_its_control_cpu(const JudgeContext &context, CpuIndex cpu) {
  const auto &notes = context.evidence.by_control(cpu);
  return std::any_of(notes.begin(), notes.end(),
                     [](const Noted &note) { return note.event.kind == EventKind::kFenced; });
}

} // namespace

namespace {

/// Whether a fault on another CPU has sent this one what was not for it.
bool was_sent_what_was_not_for_it(const JudgeContext &context, CpuIndex cpu) {
  const auto &firings = context.evidence.seen().firings;
  return std::any_of(firings.begin(), firings.end(), [&](const Firing &firing) {
    const FaultSpec &spec = spec_of(context, firing.fault);
    return spec.action == Action::kRedirect && spec.to == cpu;
  });
}

} // namespace

std::string blind_to_crosstalk(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  if (seen.end != RunEnd::kComplete)
    return "the run did not come to its end, and who is late of whom cannot be told";
  if (std::ranges::any_of(seen.firings, [&](const Firing &firing) { return holds_control(context, firing); }))
    return "a fault held a control CPU, and others may be late of that";
  return "";
}

/// A CPU that fails has something of its own to fail of, or in tree has lost its control CPU.
Finding look_no_crosstalk(const JudgeContext &context) {
  if (context.evidence.seen().firings.empty())
    return std::nullopt; // nothing that could have spread
  for (const CpuVerdict &cpu : context.cpus) {
    if (cpu.outcome != CpuOutcome::kFailed)
      continue;
    if (context.evidence.firings(cpu.cpu).empty() && context.evidence.crashes(cpu.cpu).empty() &&
        !cpu.reason.starts_with("error@") && !was_sent_what_was_not_for_it(context, cpu.cpu) &&
        !lost_its_control_cpu(context, cpu.cpu))
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
  for (CpuIndex writer = 0; writer < seen.cpus.size(); ++writer)
    for (const Event &event : seen.cpus[writer].events)
      if ((event.kind == EventKind::kKick || event.kind == EventKind::kStop) &&
          (event.cpu == 0 || event.cpu == writer || event.cpu >= context.evidence.cpus()))
        return fmt::format("CPU {} sent an INIT to CPU {}", writer, event.cpu);
  return std::nullopt;
}

Finding look_accounted(const JudgeContext &context) {
  unsigned online = 0;
  unsigned failed = 0;
  for (const CpuVerdict &cpu : context.cpus) {
    online += cpu.outcome == CpuOutcome::kOnline ? 1 : 0;
    failed += cpu.outcome == CpuOutcome::kFailed ? 1 : 0;
    const bool found = is_found(context.evidence.seen().cpus[cpu.cpu].presence);
    if (cpu.cpu >= context.scenario.bringup.max_cpus && cpu.attempts > 0)
      return fmt::format("CPU {} was kicked, and nobody had asked for it", cpu.cpu);
    if (!found && cpu.attempts > 0)
      return fmt::format("CPU {} was kicked, and the firmware does not offer it", cpu.cpu);
    if (requested(context, cpu.cpu) && found && cpu.attempts == 0 && !context.evidence.lost_tsc(cpu.cpu) &&
        context.evidence.seen().end == RunEnd::kComplete)
      return fmt::format("CPU {} was asked for, and never kicked", cpu.cpu);
  }
  if (online + failed != context.scenario.bringup.max_cpus)
    return fmt::format("{} CPUs were asked for, {} are online and {} failed",
                       context.scenario.bringup.max_cpus, online, failed);
  return std::nullopt;
}

} // namespace reveille::vmm
