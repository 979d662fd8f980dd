#include "vmm/judge/outcomes.hpp"

#include "core/protocol/points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace reveille::vmm {

using abi::EventKind;
using abi::State;
using abi::Word;

namespace {

/// What a control CPU last said of a CPU.
struct Decision {
  std::optional<abi::Event> last; ///< that it came up, went down, or failed
  std::uint32_t attempt = 0;      ///< the last that was kicked or prepared

  [[nodiscard]] bool is(EventKind kind) const { return last && last->kind == kind; }
};

bool decides(EventKind kind) {
  return kind == EventKind::kOnline || kind == EventKind::kFailed || kind == EventKind::kOffline;
}

Decision decision_on(const Evidence &evidence, CpuIndex cpu) {
  Decision last;
  for (const Noted &note : evidence.by_control(cpu)) {
    last.attempt = std::max(last.attempt, note.event.attempt);
    if (decides(note.event.kind))
      last.last = note.event;
  }
  return last;
}

const CrashEvidence *crash_of(const Observation &seen, CpuIndex cpu, std::uint32_t attempt) {
  for (const CrashEvidence &crash : seen.crashes)
    if (crash.cpu == cpu && (cpu == 0 || crash.attempt == attempt))
      return &crash;
  return nullptr;
}

std::string step_name(const StepNames &steps, unsigned section, unsigned step) {
  if (section < std::size(steps.names) && step < steps.names[section].size())
    return steps.names[section][step];
  return fmt::format("{}.{}", section, step);
}

/// Where a CPU stood when its last attempt was given up, as far as its word tells.
std::string place_of(std::uint64_t word) {
  if (!Word::is_valid(word))
    return "alive";
  return std::string(protocol::owed(Word::from(word).state));
}

/// The last state of an attempt that was not abandonment or parking: what the AP still owed
/// when nobody has written down on which word it was given up.
std::uint64_t last_progress(const Evidence &evidence, CpuIndex cpu, std::uint32_t attempt) {
  std::uint64_t last = Word{attempt, State::kKicked, 0}.bits();
  for (const Move &move : evidence.moves(cpu))
    if (move.to.attempt == attempt && move.to.state < State::kAbandoned)
      last = std::max(last, move.to.bits());
  return last;
}

std::string reason_by_core(const Evidence &evidence, CpuIndex cpu, const abi::Event &failed) {
  switch (static_cast<abi::FailReason>(failed.b & 0xff)) {
  case abi::FailReason::kError:
    return "error@step:" +
           step_name(evidence.seen().steps, (failed.b >> 8) & 0xff, (failed.b >> 16) & 0xffff);
  case abi::FailReason::kTimeout:
    return "timeout@" + place_of(failed.a);
  case abi::FailReason::kCorrupt:
    return "lost@" + place_of(last_progress(evidence, cpu, failed.attempt));
  case abi::FailReason::kNoAttempt:
    return "timeout@alive";
  case abi::FailReason::kLost:
    return "lost@" + place_of(failed.a);
  }
  return "lost@" + place_of(failed.a);
}

void decide(const Evidence &evidence, CpuVerdict &cpu) {
  const Observation &seen = evidence.seen();
  const Decision decision = decision_on(evidence, cpu.cpu);
  const CrashEvidence *crash = crash_of(seen, cpu.cpu, decision.attempt);
  if (decision.is(EventKind::kOnline) && crash == nullptr) {
    cpu.outcome = CpuOutcome::kOnline;
    return;
  }
  cpu.outcome = CpuOutcome::kFailed;
  if (crash != nullptr) {
    // An AP that comes down after its swap to active has nothing left to owe but that.
    const std::uint64_t word = decision.is(EventKind::kFailed) && Word::is_valid(decision.last->a)
                                   ? decision.last->a
                                   : last_progress(evidence, cpu.cpu, decision.attempt);
    cpu.reason = "crash@" + place_of(word);
  } else if (decision.is(EventKind::kFailed)) {
    cpu.reason = reason_by_core(evidence, cpu.cpu, *decision.last);
  } else {
    cpu.reason = "lost@" + place_of(last_progress(evidence, cpu.cpu, decision.attempt));
  }
}

void decide_control(const Observation &seen, CpuVerdict &cpu) {
  const bool dead = seen.end == RunEnd::kControlDied || crash_of(seen, 0, 0) != nullptr;
  cpu.outcome = dead ? CpuOutcome::kFailed : CpuOutcome::kOnline;
  if (dead)
    cpu.reason = "crash@active";
}

void count_attempts(const Evidence &evidence, CpuVerdict &cpu) {
  std::set<std::uint32_t> made; // since it was last decided, so in one cycle
  std::set<std::uint32_t> held;
  for (const Noted &note : evidence.by_control(cpu.cpu)) {
    const abi::Event &event = note.event;
    if (event.kind == EventKind::kKick ||
        (event.kind == EventKind::kStepEnter &&
         (event.b & 0xff) == static_cast<std::uint64_t>(protocol::Section::kPrepare)))
      made.insert(event.attempt);
    cpu.attempts = std::max(cpu.attempts, static_cast<std::uint32_t>(made.size()));
    if (decides(event.kind))
      made.clear();
    if (event.kind == EventKind::kQuarantined)
      held.insert(event.attempt);
    // PREPARE is undone last, its first step at the very end.
    if (event.kind == EventKind::kUndoDone && event.a == 0 &&
        (event.b & 0xff) == static_cast<std::uint64_t>(protocol::Section::kPrepare))
      held.erase(event.attempt);
  }
  cpu.quarantined = static_cast<std::uint32_t>(held.size());
}

void read_times(const Evidence &evidence, CpuVerdict &cpu) {
  const Observation &seen = evidence.seen();
  std::uint32_t attempt = 0;
  for (const Noted &note : evidence.by_control(cpu.cpu)) {
    if (note.event.kind != EventKind::kKick)
      continue;
    attempt = note.event.attempt;
    cpu.points.kick = seen.us(note.event.tsc);
  }
  for (const Move &move : evidence.moves(cpu.cpu))
    for (const protocol::PointRow &point : protocol::kPoints)
      if (move.to.attempt == attempt && move.to.state == point.arrived)
        cpu.points.arrived[static_cast<std::size_t>(point.point)] = seen.us(move.tsc);
  for (const Noted &note : evidence.by_itself(cpu.cpu))
    for (const protocol::PointRow &point : protocol::kPoints)
      if (note.event.kind == EventKind::kResumed && note.event.attempt == attempt &&
          Word::from(note.event.a).state == point.released)
        cpu.points.resumed[static_cast<std::size_t>(point.point)] = seen.us(note.event.tsc);
  for (const Noted &note : evidence.by_control(cpu.cpu))
    if (note.event.kind == EventKind::kTscServed && note.event.attempt == attempt && note.event.b != 0) {
      cpu.skew_ticks = static_cast<std::int64_t>(note.event.a);
      cpu.skew_resolution = note.event.b;
    }
}

} // namespace

std::vector<CpuVerdict> judge_cpus(const Scenario &scenario, const Evidence &evidence) {
  std::vector<CpuVerdict> cpus(evidence.cpus());
  for (CpuIndex i = 0; i < cpus.size(); ++i) {
    CpuVerdict &cpu = cpus[i];
    cpu.cpu = i;
    cpu.apic_id = evidence.seen().cpus[i].apic_id;
    if (i == 0) {
      decide_control(evidence.seen(), cpu);
      continue;
    }
    count_attempts(evidence, cpu);
    read_times(evidence, cpu);
    if (i < scenario.bringup.max_cpus)
      decide(evidence, cpu);
  }
  return cpus;
}

} // namespace reveille::vmm
