#include "vmm/judge/outcomes.hpp"

#include "core/protocol/points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace reveille::vmm {

using abi::EventKind;
using abi::State;
using abi::Word;

namespace {

/// How far an attempt had come when the control side last wrote about it.
enum class Phase : std::uint8_t {
  kComing, ///< prepared, kicked, on its way up
  kUp,
  kGoing, ///< being taken down
  kDown,
};

/// What the control side last said of a CPU. Attempts only grow, and phases within them, so
/// that it does not matter who said it.
struct Decision {
  std::uint32_t attempt = 0; ///< the last that was kicked or prepared
  Phase phase = Phase::kComing;
  std::optional<abi::Event> failed; ///< a CPU that has failed stays out
};

Phase phase_of(EventKind kind) {
  switch (kind) {
  case EventKind::kOnline:
    return Phase::kUp;
  case EventKind::kTakeDown:
    return Phase::kGoing;
  case EventKind::kOffline:
    return Phase::kDown;
  default:
    return Phase::kComing;
  }
}

Decision decision_on(const Evidence &evidence, CpuIndex cpu) {
  Decision last;
  for (const Noted &note : evidence.by_control(cpu)) {
    const std::pair now{note.event.attempt, phase_of(note.event.kind)};
    std::tie(last.attempt, last.phase) = std::max(std::pair{last.attempt, last.phase}, now);
    if (note.event.kind == EventKind::kFailed)
      last.failed = note.event;
  }
  return last;
}

const CrashEvidence *crash_of(const Evidence &evidence, CpuIndex cpu, std::uint32_t attempt) {
  for (const CrashEvidence *crash : evidence.crashes(cpu))
    if (cpu == 0 || crash->attempt == attempt)
      return crash;
  return nullptr;
}

/// Whether it has found out, in that attempt, that it was told to go down.
bool has_begun_to_go_down(const Evidence &evidence, CpuIndex cpu, std::uint32_t attempt) {
  return std::ranges::any_of(evidence.by_itself(cpu), [&](const Noted &note) {
    return note.event.attempt == attempt && note.event.kind == EventKind::kResumed &&
           Word::from(note.event.a).state == State::kUndoOnline;
  });
}

/// Whether an INIT from nowhere has taken it out of its last attempt, one that did not come before that
/// attempt's own.
bool was_reset(const Scenario &scenario, const Evidence &evidence, CpuIndex cpu, std::uint32_t attempt) {
  return std::ranges::any_of(evidence.firings_on(cpu), [&](const Firing *firing) {
    return firing->end == HoldEnd::kReset && firing->attempt == attempt &&
           scenario.faults[firing->fault].action == Action::kReset &&
           Word::from(firing->word).state != State::kKicked;
  });
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

/// The point that a CPU owed when nobody had decided on it.
std::string owed_undecided(const Evidence &evidence, CpuIndex cpu, const Decision &decision) {
  if (decision.phase == Phase::kDown) // and was not kicked again
    return "alive";
  const std::uint64_t word = last_progress(evidence, cpu, decision.attempt);
  if (decision.phase == Phase::kGoing && Word::from(word).state == State::kActive)
    return "dying";
  return place_of(word);
}

/// Whether the host has written the word in that attempt, and the CPU has not come up all the same: a CP that
/// looked in between has let it go on once more.
bool is_lost_by_a_write(const Evidence &evidence, CpuIndex cpu, const Decision &decision) {
  const std::uint64_t last = evidence.seen().cpus[cpu].word;
  const bool came_up =
      decision.phase == Phase::kUp && Word::from(last) == Word{decision.attempt, State::kActive, 0} &&
      std::ranges::any_of(evidence.moves(cpu),
                          [&](const Move &move) { return move.writer == cpu && move.to.bits() == last; });
  return evidence.is_written(cpu, decision.attempt) && !came_up;
}

/// The point that a CPU whose word the host has written still owed, by what it wrote down itself: what
/// others made of that word tells nothing of it.
std::string owed_when_written(const Evidence &evidence, CpuIndex cpu, std::uint32_t attempt) {
  State last = State::kKicked;
  for (const Noted &note : evidence.by_itself(cpu)) {
    const abi::Event &event = note.event;
    const std::uint64_t word = event.kind == EventKind::kMoved ? event.b : event.a;
    const bool is_way = event.kind == EventKind::kMoved || event.kind == EventKind::kResumed;
    if (is_way && event.attempt == attempt && Word::is_valid(word) &&
        Word::from(word).state < State::kAbandoned)
      last = Word::from(word).state;
  }
  return std::string(protocol::owed(last));
}

/// The step that failed in an attempt, as its AP has reported it.
std::optional<std::string> failed_step(const Evidence &evidence, CpuIndex cpu, std::uint32_t attempt) {
  for (const Noted &note : evidence.by_itself(cpu))
    if (note.event.kind == EventKind::kStepDone && note.event.attempt == attempt && note.event.b >> 32 != 0)
      return step_name(evidence.seen().steps, note.event.b & 0xff, note.event.a);
  return std::nullopt;
}

bool undoes(State state) { return state == State::kUndoOnline || state == State::kUndoStarting; }

std::string reason_by_core(const Evidence &evidence, CpuIndex cpu, const Decision &decision) {
  const abi::Event &failed = *decision.failed;
  const abi::Failure failure = abi::failure_of(failed.b);
  switch (failure.reason) {
  case abi::FailReason::kError:
    return "error@step:" + step_name(evidence.seen().steps, failure.section, failure.step);
  case abi::FailReason::kTimeout:
    // An AP that was given up while it rolled back had failed before. A step that fails when its AP
    // has been given up already changes nothing.
    if (const auto step = failed_step(evidence, cpu, failed.attempt);
        step && undoes(Word::from(failed.a).state))
      return "error@step:" + *step;
    return "timeout@" + place_of(failed.a);
  case abi::FailReason::kNoAttempt:
    return "timeout@alive";
  case abi::FailReason::kCorrupt:
    return "lost@" + place_of(last_progress(evidence, cpu, failed.attempt));
  case abi::FailReason::kLost:
    break;
  }
  return "lost@" + owed_undecided(evidence, cpu, decision);
}

/// Where a CPU crashed: what it owed. One that dies after its swap to active has nothing left
/// to owe but that, though it may have been told to go down since.
std::string crash_place(const Evidence &evidence, CpuIndex cpu, const Decision &decision) {
  if (decision.phase >= Phase::kUp && !has_begun_to_go_down(evidence, cpu, decision.attempt))
    return "active";
  return place_of(decision.failed && Word::is_valid(decision.failed->a)
                      ? decision.failed->a
                      : last_progress(evidence, cpu, decision.attempt));
}

void decide(const Scenario &scenario, const Evidence &evidence, CpuVerdict &cpu) {
  const Decision decision = decision_on(evidence, cpu.cpu);
  const bool reset_when_up = decision.phase >= Phase::kUp &&
                             !has_begun_to_go_down(evidence, cpu.cpu, decision.attempt) &&
                             was_reset(scenario, evidence, cpu.cpu, decision.attempt);
  const bool crash = reset_when_up || crash_of(evidence, cpu.cpu, decision.attempt) != nullptr;
  const bool written = is_lost_by_a_write(evidence, cpu.cpu, decision);
  if (decision.phase == Phase::kUp && !decision.failed && !crash && !written) {
    cpu.outcome = CpuOutcome::kOnline;
    return;
  }
  cpu.outcome = CpuOutcome::kFailed;
  if (crash)
    cpu.reason = "crash@" + crash_place(evidence, cpu.cpu, decision);
  else if (evidence.seen().cpus[cpu.cpu].presence == Presence::kGhost)
    cpu.reason = "absent@" + owed_undecided(evidence, cpu.cpu, decision);
  else if (written)
    cpu.reason = "lost@" + owed_when_written(evidence, cpu.cpu, decision.attempt);
  else if (decision.failed)
    cpu.reason = reason_by_core(evidence, cpu.cpu, decision);
  else
    cpu.reason = "lost@" + owed_undecided(evidence, cpu.cpu, decision);
}

void decide_control(const Evidence &evidence, CpuVerdict &cpu) {
  const bool dead = evidence.seen().end == RunEnd::kControlDied || crash_of(evidence, 0, 0) != nullptr;
  cpu.outcome = dead ? CpuOutcome::kFailed : CpuOutcome::kOnline;
  if (dead)
    cpu.reason = "crash@active";
}

bool is_prepare(const abi::Event &event) {
  return (event.b & 0xff) == static_cast<std::uint64_t>(protocol::Section::kPrepare);
}

/// The most attempts that a cycle needed. A cycle of a CPU ends with the attempt that is taken
/// down.
std::uint32_t most_in_a_cycle(const std::set<std::uint32_t> &made, const std::set<std::uint32_t> &down) {
  std::uint32_t most = 0;
  std::uint32_t in_cycle = 0;
  for (const std::uint32_t attempt : made) {
    most = std::max(most, ++in_cycle);
    if (down.contains(attempt))
      in_cycle = 0;
  }
  return most;
}

void count_attempts(const Evidence &evidence, CpuVerdict &cpu) {
  std::set<std::uint32_t> made;
  std::set<std::uint32_t> down;
  std::set<std::uint32_t> held;
  std::set<std::uint32_t> undone;
  for (const Noted &note : evidence.by_control(cpu.cpu)) {
    const abi::Event &event = note.event;
    if (event.kind == EventKind::kKick || (event.kind == EventKind::kStepEnter && is_prepare(event)))
      made.insert(event.attempt);
    if (event.kind == EventKind::kOffline)
      down.insert(event.attempt);
    if (event.kind == EventKind::kQuarantined || event.kind == EventKind::kCorrupt)
      held.insert(event.attempt);
    // PREPARE is undone last, its first step at the very end.
    if (event.kind == EventKind::kUndoDone && event.a == 0 && is_prepare(event))
      undone.insert(event.attempt);
  }
  cpu.attempts = most_in_a_cycle(made, down);
  cpu.quarantined = static_cast<std::uint32_t>(std::count_if(
      held.begin(), held.end(), [&](std::uint32_t attempt) { return !undone.contains(attempt); }));
}

void read_times(const Evidence &evidence, CpuVerdict &cpu) {
  const Observation &seen = evidence.seen();
  std::uint32_t attempt = 0;
  for (const Noted &note : evidence.by_control(cpu.cpu)) {
    if (note.event.kind != EventKind::kKick || note.event.attempt < attempt)
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
      decide_control(evidence, cpu);
      continue;
    }
    count_attempts(evidence, cpu);
    read_times(evidence, cpu);
    if (i < scenario.bringup.max_cpus)
      decide(scenario, evidence, cpu);
  }
  return cpus;
}

} // namespace reveille::vmm
