// Invariants about the order of what happened.
#include "core/protocol/points.hpp"
#include "vmm/judge/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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
bool may_lack_a_note(const Observation &seen, CpuIndex writer) {
  if (seen.end != RunEnd::kComplete)
    return true;
  const bool crashed = std::any_of(seen.crashes.begin(), seen.crashes.end(),
                                   [&](const CrashEvidence &crash) { return crash.cpu == writer; });
  return crashed || std::any_of(seen.firings.begin(), seen.firings.end(), [&](const Firing &f) {
           return f.cpu == writer && f.end != HoldEnd::kReleased;
         });
}

bool is_section(const Event &event, Section section) {
  return (event.b & 0xff) == static_cast<std::uint64_t>(section);
}

bool is_step(const Event &event) {
  return event.kind >= EventKind::kStepEnter && event.kind <= EventKind::kUndoDone;
}

Finding chain_of(const JudgeContext &context, CpuIndex cpu) {
  const Observation &seen = context.evidence.seen();
  Word at{};
  for (const Move &move : context.evidence.moves(cpu)) {
    const Mover mover = move.writer == 0 ? Mover::kCp : Mover::kAp;
    if (!protocol::is_legal(move.from, move.to, mover))
      return fmt::format("CPU {} moved the word of CPU {} from {} to {}", move.writer, cpu, text(move.from),
                         text(move.to));
    if (move.from != at && !may_lack_a_note(seen, cpu))
      return fmt::format("the word of CPU {} was moved from {}, but nobody had moved it there from {}", cpu,
                         text(move.from), text(at));
    at = move.to;
  }
  const std::uint64_t last = seen.cpus[cpu].word;
  if (!Word::is_valid(last))
    return fmt::format("the word of CPU {} is {:#x} at the end, which is none", cpu, last);
  if (Word::from(last) != at && !may_lack_a_note(seen, cpu))
    return fmt::format("the word of CPU {} is {} at the end, but the last move made it {}", cpu,
                       text(Word::from(last)), text(at));
  return std::nullopt;
}

} // namespace

Finding look_legal_transitions(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu)
    if (Finding bad = chain_of(context, cpu))
      return bad;
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu)
    for (const Noted &note : context.evidence.by_control(cpu))
      if (note.event.kind == EventKind::kCorrupt)
        return fmt::format("CPU 0 found the word of CPU {} to be {:#x}", cpu, note.event.a);
  return std::nullopt;
}

Finding look_matched_release(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    const auto &moves = context.evidence.moves(cpu);
    for (const Move &release : moves) {
      const bool by_cp = release.writer == 0 && release.from.attempt == release.to.attempt &&
                         release.to.state != State::kAbandoned;
      if (!by_cp)
        continue;
      const bool answered = std::any_of(moves.begin(), moves.end(), [&](const Move &arrival) {
        return arrival.writer == cpu && arrival.to == release.from;
      });
      if (!answered && !may_lack_a_note(context.evidence.seen(), cpu))
        return fmt::format("CPU {} was released from {} without having arrived there", cpu,
                           text(release.from));
    }
    for (const Noted &note : context.evidence.by_itself(cpu)) {
      if (note.event.kind != EventKind::kResumed)
        continue;
      const bool released = std::any_of(moves.begin(), moves.end(), [&](const Move &move) {
        return move.writer == 0 && move.to.bits() == note.event.a;
      });
      if (!released && !may_lack_a_note(context.evidence.seen(), 0))
        return fmt::format("CPU {} went on with {}, which CPU 0 had not released", cpu,
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

/// CPU 0 writes down what it undoes, and its proof before that.
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
        return fmt::format("CPU 0 undid step {} of attempt {} of CPU {} without proof that it was over",
                           event.a, event.attempt, cpu);
    }
  }
  return std::nullopt;
}

namespace {

using Steps = std::vector<std::pair<std::uint64_t, std::uint64_t>>; // section, index

/// The steps of one attempt of a CPU, whoever ran them, as they were entered and undone.
/// PREPARE comes before the kick and is undone last; the AP's own are in its own order.
void gather(const std::vector<Noted> &notes, std::uint32_t attempt, Steps &entered, Steps &undone) {
  for (const Noted &note : notes) {
    if (note.event.attempt != attempt || !is_step(note.event))
      continue;
    if (note.event.kind == EventKind::kStepEnter)
      entered.emplace_back(note.event.b & 0xff, note.event.a);
    if (note.event.kind == EventKind::kUndoEnter)
      undone.emplace_back(note.event.b & 0xff, note.event.a);
  }
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
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    std::vector<std::uint32_t> attempts;
    for (const Noted &note : context.evidence.by_control(cpu))
      if (note.event.kind == EventKind::kKick)
        attempts.push_back(note.event.attempt);
    for (const std::uint32_t attempt : attempts) {
      Steps entered;
      Steps undone;
      Steps prepared;
      Steps undone_by_cp;
      gather(context.evidence.by_control(cpu), attempt, prepared, undone_by_cp);
      gather(context.evidence.by_itself(cpu), attempt, entered, undone);
      entered.insert(entered.begin(), prepared.begin(), prepared.end());
      undone.insert(undone.end(), undone_by_cp.begin(), undone_by_cp.end());
      drop_step_not_begun(entered, undone);
      std::reverse(entered.begin(), entered.end());
      // What was not proven, or may not be undone by another, is missing at the end.
      if (undone.size() > entered.size() || !std::equal(undone.begin(), undone.end(), entered.begin()))
        return fmt::format(
            "in attempt {} of CPU {}, {} steps were entered and {} undone, not in reverse order", attempt,
            cpu, entered.size(), undone.size());
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
        return fmt::format("CPU 0 met CPU {} for the TSC in attempt {} outside syncing", cpu, event.attempt);
      if (++served[event.attempt] > 1)
        return fmt::format("CPU 0 met CPU {} for the TSC twice in attempt {}", cpu, event.attempt);
    }
  }
  return std::nullopt;
}

} // namespace reveille::vmm
