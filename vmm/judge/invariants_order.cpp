// Invariants about the order of what happened.
#include "core/protocol/points.hpp"
#include "vmm/judge/invariants.hpp"
#include "vmm/scenario/roster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <span>

namespace reveille::vmm {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Word;
using protocol::Mover;
using protocol::Section;

namespace {

std::string text(Word word) {
  return fmt::format("(attempt {}, {}, step {})", word.attempt, protocol::name(word.state), word.step);
}

/// Whether the writer of a missing move may have been stopped between its swap and the note
/// of it: by its death, by a fault that holds it, or by the end of the run.
bool may_lack_a_note(const Evidence &evidence, CpuIndex writer) {
  if (evidence.seen().end != RunEnd::kComplete || !evidence.crashes(writer).empty())
    return true;
  const auto firings = evidence.firings(writer);
  return std::any_of(firings.begin(), firings.end(), [](const Firing *firing) {
    return firing->end != HoldEnd::kReleased && !firing->wrote;
  });
}

bool is_section(const Event &event, Section section) {
  return (event.b & 0xff) == static_cast<std::uint64_t>(section);
}

/// Whether notes of an AP's moves may be missing: its own, or a control CPU's that it was left to.
bool may_lack_a_note_about(const JudgeContext &context, CpuIndex cpu) {
  const Evidence &evidence = context.evidence;
  const auto &notes = evidence.by_control(cpu);
  return may_lack_a_note(evidence, cpu) || std::any_of(notes.begin(), notes.end(), [&](const Noted &note) {
           return note.event.kind == EventKind::kDelegated &&
                  may_lack_a_note(evidence, static_cast<CpuIndex>(note.event.a));
         });
}

/// Whether a CPU may be the control CPU of another.
bool may_control(const JudgeContext &context, CpuIndex writer) {
  return writer == 0 || context.scenario.bringup.strategy == abi::Strategy::kTree;
}

/// One word of a CPU that its moves do not account for.
struct Loose {
  std::uint64_t word;
  bool
      is_left; ///< moved from, or there at the end, and nobody had made it; else made, and nobody moved it on
};

/// Every word that is made is moved from once, but for the last: the moves are one chain, in whatever order
/// they were written down. What the host has written is a part of it.
std::optional<Loose> loose_end(const JudgeContext &context, CpuIndex cpu) {
  std::vector<std::uint64_t> made = {Word{}.bits()};
  std::vector<std::uint64_t> left = {context.evidence.seen().cpus[cpu].word};
  for (const Move &move : context.evidence.moves(cpu)) {
    made.push_back(move.to.bits());
    left.push_back(move.from.bits());
  }
  for (const WordWrite &write : context.evidence.writes(cpu)) {
    made.push_back(write.after);
    left.push_back(write.before);
  }
  std::ranges::sort(made);
  std::ranges::sort(left);
  const auto [one, other] = std::ranges::mismatch(made, left); // of one length
  if (one == made.end())
    return std::nullopt;
  return *other < *one ? Loose{*other, true} : Loose{*one, false};
}

Finding chain_of(const JudgeContext &context, CpuIndex cpu) {
  for (const Move &move : context.evidence.moves(cpu)) {
    const Mover mover = move.writer == cpu ? Mover::kAp : Mover::kCp;
    if (!protocol::is_legal(move.from, move.to, mover) ||
        (mover == Mover::kCp && !may_control(context, move.writer)))
      return fmt::format("CPU {} moved the word of CPU {} from {} to {}", move.writer, cpu, text(move.from),
                         text(move.to));
  }
  const std::uint64_t last = context.evidence.seen().cpus[cpu].word;
  if (!Word::is_valid(last) && !context.evidence.has_made(cpu, last))
    return fmt::format("the word of CPU {} is {:#x} at the end, which is none", cpu, last);
  const auto loose = loose_end(context, cpu);
  if (!loose || may_lack_a_note_about(context, cpu))
    return std::nullopt;
  if (!loose->is_left)
    return fmt::format(
        "the word of CPU {} is {} at the end, but it was moved to {}, and nobody has moved it on", cpu,
        text(Word::from(last)), text(Word::from(loose->word)));
  if (loose->word == last)
    return fmt::format("the word of CPU {} is {} at the end, but nobody has moved it there", cpu,
                       text(Word::from(last)));
  return fmt::format("the word of CPU {} was moved from {}, but nobody had moved it there", cpu,
                     text(Word::from(loose->word)));
}

} // namespace

Finding look_legal_transitions(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu)
    if (Finding bad = chain_of(context, cpu))
      return bad;
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu)
    for (const Noted &note : context.evidence.by_control(cpu))
      if (note.event.kind == EventKind::kCorrupt && !context.evidence.has_made(cpu, note.event.a) &&
          !context.evidence.is_written(cpu, note.event.attempt))
        return fmt::format("CPU {} found the word of CPU {} to be {:#x}", note.writer, cpu, note.event.a);
  return std::nullopt;
}

namespace {

/// The moves that made a word, among moves in the order of the words that they made.
std::span<const Move> moves_to(const std::vector<Move> &moves, std::uint64_t word) {
  // Not std::ranges::equal_range(): clang 14 does not take libstdc++ 12's subrange.
  const auto bits = [](const Move &move) { return move.to.bits(); };
  return {std::ranges::lower_bound(moves, word, std::less<>{}, bits),
          std::ranges::upper_bound(moves, word, std::less<>{}, bits)};
}

} // namespace

Finding look_matched_release(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    const auto &moves = context.evidence.moves(cpu);
    const bool may_lack = may_lack_a_note_about(context, cpu);
    for (const Move &release : moves) {
      const bool by_cp = release.writer != cpu && release.from.attempt == release.to.attempt &&
                         release.to.state != State::kAbandoned;
      if (!by_cp)
        continue;
      const auto arrivals = moves_to(moves, release.from.bits());
      const bool answered = std::any_of(arrivals.begin(), arrivals.end(),
                                        [&](const Move &arrival) { return arrival.writer == cpu; });
      if (!answered && !may_lack && !context.evidence.has_made(cpu, release.from.bits()))
        return fmt::format("CPU {} was released from {} without having arrived there", cpu,
                           text(release.from));
    }
    for (const Noted &note : context.evidence.by_itself(cpu)) {
      if (note.event.kind != EventKind::kResumed)
        continue;
      const auto releases = moves_to(moves, note.event.a);
      const bool released =
          std::any_of(releases.begin(), releases.end(), [&](const Move &move) { return move.writer != cpu; });
      if (!released && !may_lack && !may_lack_a_note(context.evidence, 0) &&
          !context.evidence.has_made(cpu, note.event.a))
        return fmt::format("CPU {} went on with {}, which nobody had released", cpu,
                           text(Word::from(note.event.a)));
    }
  }
  return std::nullopt;
}

Finding look_steps_in_order(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> next; // by attempt and section
    std::map<std::uint32_t, bool> alive_released;
    for (const Noted &note : context.evidence.by_itself(cpu)) {
      const Event &event = note.event;
      if (event.kind == EventKind::kResumed && Word::from(event.a).state == State::kStarting)
        alive_released[event.attempt] = true;
      if (event.kind == EventKind::kUndoEnter && is_section(event, Section::kStarting) &&
          (event.flags & abi::kFlagInterruptsOn) != 0)
        return fmt::format("CPU {} undid STARTING step {} with interrupts on", cpu, event.a);
      if (event.kind != EventKind::kStepEnter)
        continue;
      const std::uint64_t section = event.b & 0xff;
      if (!alive_released[event.attempt])
        return fmt::format("CPU {} ran step {} of section {} before its release from alive", cpu, event.a,
                           section);
      std::uint64_t &expected = next[{event.attempt, section}];
      if (event.a != expected)
        return fmt::format("CPU {} ran step {} of section {} in attempt {} when step {} was next", cpu,
                           event.a, section, event.attempt, expected);
      ++expected;
      if (is_section(event, Section::kStarting) && (event.flags & abi::kFlagInterruptsOn) != 0)
        return fmt::format("CPU {} ran STARTING step {} with interrupts on", cpu, event.a);
    }
  }
  return std::nullopt;
}

/// A late AP's moves are in the chain; what it does besides shows only where it writes events.
Finding look_late_harmless(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    std::map<std::uint32_t, bool> lost; // attempts that the AP has found given up
    for (const Noted &note : context.evidence.by_itself(cpu)) {
      const Event &event = note.event;
      const bool parks = event.kind == EventKind::kMoved && Word::from(event.b).state == State::kParked;
      if (lost[event.attempt])
        return fmt::format("CPU {} still wrote events after it had parked in attempt {}", cpu, event.attempt);
      if (parks)
        lost[event.attempt] = true;
    }
    for (const Move &move : context.evidence.moves(cpu))
      if (move.writer == cpu && move.from.state == State::kAbandoned && move.to.state != State::kParked)
        return fmt::format("CPU {} moved its word from {} to {} after it was given up", cpu, text(move.from),
                           text(move.to));
  }
  return std::nullopt;
}

/// A control CPU writes down what it undoes, and its proof before that.
Finding look_proven_or_quarantined(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    std::map<std::uint32_t, bool> claimed_alive; // kicked, and not known to be over
    for (const Noted &note : context.evidence.by_control(cpu)) {
      const Event &event = note.event;
      if (event.kind == EventKind::kKick)
        claimed_alive[event.attempt] = true;
      if (event.kind == EventKind::kProven ||
          (event.kind == EventKind::kTimeout && Word::from(event.a).state == State::kKicked))
        claimed_alive[event.attempt] = false;
      if (event.kind == EventKind::kUndoEnter && claimed_alive[event.attempt])
        return fmt::format("CPU {} undid step {} of attempt {} of CPU {} without proof that it was over",
                           note.writer, event.a, event.attempt, cpu);
    }
  }
  return std::nullopt;
}

namespace {

using Steps = std::vector<std::pair<std::uint64_t, std::uint64_t>>; // section, index

/// The steps of one attempt of a CPU, as they were entered and undone. PREPARE comes before the
/// kick and is undone last; the AP's own are in its own order.
struct StepsOfAttempt {
  Steps prepared;
  Steps entered;
  Steps undone;
  Steps undone_by_cp;
  bool given_up_undoing = false; ///< its AP may have been in the middle of a teardown
};

std::map<std::uint32_t, StepsOfAttempt> gather(const Evidence &evidence, CpuIndex cpu) {
  std::map<std::uint32_t, StepsOfAttempt> attempts;
  const auto take = [&](const Event &event, Steps StepsOfAttempt::*entered, Steps StepsOfAttempt::*undone) {
    if (event.kind == EventKind::kStepEnter)
      (attempts[event.attempt].*entered).emplace_back(event.b & 0xff, event.a);
    if (event.kind == EventKind::kUndoEnter)
      (attempts[event.attempt].*undone).emplace_back(event.b & 0xff, event.a);
  };
  for (const Noted &note : evidence.by_control(cpu)) {
    take(note.event, &StepsOfAttempt::prepared, &StepsOfAttempt::undone_by_cp);
    if (note.event.kind == EventKind::kTimeout) {
      const State state = Word::from(note.event.a).state;
      attempts[note.event.attempt].given_up_undoing =
          state == State::kUndoOnline || state == State::kUndoStarting;
    }
  }
  for (const Noted &note : evidence.by_itself(cpu))
    take(note.event, &StepsOfAttempt::entered, &StepsOfAttempt::undone);
  return attempts;
}

/// The CP cannot know whether the step behind the completed ones had begun when it gave the
/// AP up: it counts as half done, and may be undone though it was never entered.
void drop_step_not_begun(const Steps &entered, Steps &undone) {
  if (undone.empty() || std::find(entered.begin(), entered.end(), undone.front()) != entered.end())
    return;
  const auto [section, index] = undone.front();
  const auto in_section = std::count_if(entered.begin(), entered.end(),
                                        [s = section](const auto &step) { return step.first == s; });
  if (static_cast<std::uint64_t>(in_section) == index)
    undone.erase(undone.begin());
}

} // namespace

Finding look_exact_undo(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu)
    for (auto &[attempt, steps] : gather(context.evidence, cpu)) {
      if (context.evidence.is_written(cpu, attempt)) // the CP knows by the word what was done
        continue;
      Steps entered = steps.prepared;
      entered.insert(entered.end(), steps.entered.begin(), steps.entered.end());
      Steps undone = steps.undone;
      // A teardown that the AP was stopped in counts as half done, and is done again.
      if (steps.given_up_undoing && !undone.empty() && !steps.undone_by_cp.empty() &&
          undone.back() == steps.undone_by_cp.front())
        undone.pop_back();
      undone.insert(undone.end(), steps.undone_by_cp.begin(), steps.undone_by_cp.end());
      drop_step_not_begun(entered, undone);
      std::reverse(entered.begin(), entered.end());
      // What was not proven, or may not be undone by another, is missing at the end.
      if (undone.size() > entered.size() || !std::equal(undone.begin(), undone.end(), entered.begin()))
        return fmt::format(
            "in attempt {} of CPU {}, {} steps were entered and {} undone, not in reverse order", attempt,
            cpu, entered.size(), undone.size());
    }
  return std::nullopt;
}

namespace {

/// The primary thread of each CPU that is brought up, as the guest chooses it: of a core's threads that
/// with the lowest number. A twin is not known for the thread that it is, and is its own.
std::map<CpuIndex, CpuIndex> primary_threads(const JudgeContext &context) {
  const std::vector<CpuObservation> &cpus = context.evidence.seen().cpus;
  const Roster roster(context.scenario);
  std::map<std::uint32_t, CpuIndex> primary_of_core;
  std::map<CpuIndex, CpuIndex> primaries;
  for (CpuIndex number = 0; number < roster.requested() && number < cpus.size(); ++number) {
    const CpuIndex cpu = roster.cpu_of(number);
    const std::uint32_t core = cpus[cpu].apic_id / context.scenario.machine.threads_per_core;
    const bool is_twin = cpus[cpu].presence == Presence::kTwin;
    primaries[cpu] = is_twin ? cpu : primary_of_core.try_emplace(core, cpu).first->second;
  }
  return primaries;
}

} // namespace

/// A sibling's first kick of a cycle comes behind the decision on its primary.
Finding look_siblings_after_primary(const JudgeContext &context) {
  for (const auto &[cpu, primary] : primary_threads(context)) {
    if (primary == cpu || primary == 0)
      continue;
    std::vector<std::uint64_t> decided; // when the primary came up, and when it had failed
    std::uint64_t out = std::numeric_limits<std::uint64_t>::max();
    for (const Noted &note : context.evidence.by_control(primary)) {
      if (note.event.kind == EventKind::kOnline)
        decided.push_back(note.event.tsc);
      if (note.event.kind == EventKind::kFailed)
        out = note.event.tsc;
    }
    std::size_t cycle = 0;
    for (const Noted &note : context.evidence.by_control(cpu)) {
      if (note.event.kind != EventKind::kKick || note.event.a != 1)
        continue;
      const bool after =
          (cycle < decided.size() && decided[cycle] <= note.event.tsc) || out <= note.event.tsc;
      if (!after)
        return fmt::format("CPU {} was kicked before its primary thread, CPU {}, was decided", cpu, primary);
      ++cycle;
    }
  }
  return std::nullopt;
}

Finding look_tsc_two_parties(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    std::map<std::uint32_t, bool> syncing;
    std::map<std::uint32_t, unsigned> served;
    for (const Noted &note : context.evidence.by_control(cpu)) {
      const Event &event = note.event;
      if (event.kind == EventKind::kMoved)
        syncing[event.attempt] = Word::from(event.b).state == State::kSyncing;
      if (event.kind != EventKind::kTscServed)
        continue;
      if (!syncing[event.attempt])
        return fmt::format("CPU {} met CPU {} for the TSC in attempt {} outside syncing", note.writer, cpu,
                           event.attempt);
      if (++served[event.attempt] > 1)
        return fmt::format("CPU {} met CPU {} for the TSC twice in attempt {}", note.writer, cpu,
                           event.attempt);
    }
  }
  return std::nullopt;
}

} // namespace reveille::vmm
