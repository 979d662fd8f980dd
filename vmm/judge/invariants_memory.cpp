// Invariants about memory: what one side has written the other finds, and what late APs need stays.
#include "vmm/judge/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace reveille::vmm {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Word;

namespace {

using Attempt = std::pair<CpuIndex, std::uint32_t>; // CPU, number

/// When each cycle began, and its number, in order.
std::vector<std::pair<std::uint64_t, std::uint64_t>> cycles_of(const Observation &seen) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> cycles;
  if (!seen.cpus.empty())
    for (const Event &event : seen.cpus[0].events)
      if (event.kind == EventKind::kCycle)
        cycles.emplace_back(event.tsc, event.a);
  return cycles;
}

/// What APs have found at their claims, against what their control CPUs had.
class Findings {
public:
  Findings(const JudgeContext &context, CpuIndex cpu) : cpu_(cpu), lost_tsc_(context.evidence.lost_tsc(cpu)) {
    for (const Noted &note : context.evidence.by_itself(cpu))
      if (note.event.kind == EventKind::kFound)
        found_.emplace(note.event.attempt, &note.event);
    for (const Noted &note : context.evidence.by_control(cpu))
      if (note.event.kind == EventKind::kTimeout)
        given_up_.insert(note.event.attempt);
  }

  [[nodiscard]] bool has(std::uint32_t attempt) const { return found_.contains(attempt); }

  /// The numbers of an attempt that was given up may be the next one's already: they are for the host,
  /// and the area is not. A control CPU that has been lost may kick its AP while CPU 0 is in another cycle.
  [[nodiscard]] Finding against(const Event &kick, std::uint64_t cycle) const {
    const auto it = found_.find(kick.attempt);
    if (it == found_.end())
      return std::nullopt;
    const Event &found = *it->second;
    if (found.a != kick.b)
      return fmt::format("CPU {} was kicked for attempt {} with area {}, and has found area {}", cpu_,
                         kick.attempt, kick.b, found.a);
    const std::uint64_t told =
        abi::found(static_cast<std::uint32_t>(kick.a), static_cast<std::uint32_t>(cycle));
    if (found.b != told && !given_up_.contains(kick.attempt) && (!lost_tsc_ || kick.tsc < *lost_tsc_))
      return fmt::format("CPU {} was kicked for try {} of cycle {}, and has found try {} of cycle {}", cpu_,
                         told & 0xffff'ffff, told >> 32, found.b & 0xffff'ffff, found.b >> 32);
    return std::nullopt;
  }

private:
  CpuIndex cpu_;
  std::map<std::uint32_t, const Event *> found_; ///< by attempt
  std::set<std::uint32_t> given_up_;             ///< attempts
  std::optional<std::uint64_t> lost_tsc_;        ///< with its control CPU
};

/// What an AP writes before alive is there once it is let go on from there.
Finding look_written_before_alive(const JudgeContext &context, CpuIndex cpu, const Findings &findings) {
  for (const Move &move : context.evidence.moves(cpu))
    if (move.writer != cpu && move.from.state == State::kAlive && move.to.state == State::kStarting &&
        !findings.has(move.from.attempt))
      return fmt::format("CPU {} was let go on from alive in attempt {}, and nothing is there of what it "
                         "wrote before",
                         cpu, move.from.attempt);
  return std::nullopt;
}

/// The account of a failed step is the AP's, in its area; the control CPU reads it as it takes over.
Finding look_failure(const JudgeContext &context, CpuIndex cpu, const Event &failed) {
  const abi::Failure failure = abi::failure_of(failed.b);
  if (failure.reason != abi::FailReason::kError ||
      failure.section == static_cast<unsigned>(protocol::Section::kPrepare))
    return std::nullopt;
  const auto &notes = context.evidence.by_itself(cpu);
  if (std::none_of(notes.begin(), notes.end(), [&](const Noted &note) {
        const Event &done = note.event;
        return done.kind == EventKind::kStepDone && done.attempt == failed.attempt &&
               done.a == failure.step && done.b == abi::step_result(failure.section, failure.error);
      }))
    return fmt::format("CPU {} failed of step {} of section {} with error {} in attempt {}, and has written "
                       "down nothing of it",
                       cpu, failure.step, failure.section, failure.error, failed.attempt);
  return std::nullopt;
}

} // namespace

Finding look_visible_before(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  if (!seen.not_seen.empty()) {
    const NotSeen &first = seen.not_seen.front();
    return fmt::format("CPU {} in attempt {}: {}", first.cpu, first.attempt, first.what);
  }
  const auto cycles = cycles_of(seen);
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    const Findings findings(context, cpu);
    if (Finding bad = look_written_before_alive(context, cpu, findings))
      return bad;
    auto cycle = cycles.begin();
    for (const Noted &note : context.evidence.by_control(cpu)) {
      while (cycle != cycles.end() && cycle->first <= note.event.tsc)
        ++cycle;
      Finding bad;
      if (note.event.kind == EventKind::kKick)
        bad = findings.against(note.event, cycle == cycles.begin() ? 1 : std::prev(cycle)->second);
      if (note.event.kind == EventKind::kFailed)
        bad = look_failure(context, cpu, note.event);
      if (bad)
        return bad;
    }
  }
  return std::nullopt;
}

namespace {

/// Kicks of all CPUs and what ends their attempts, in order.
std::vector<Event> begins_and_ends(const Evidence &evidence) {
  std::vector<Event> events;
  for (CpuIndex cpu = 1; cpu < evidence.cpus(); ++cpu)
    for (const Noted &note : evidence.by_control(cpu))
      if (note.event.kind == EventKind::kKick || note.event.kind == EventKind::kProven ||
          note.event.kind == EventKind::kTimeout)
        events.push_back(note.event);
  // At one moment ends come first: what is given away was given back before.
  std::stable_sort(events.begin(), events.end(), [](const Event &a, const Event &b) {
    return std::pair(a.tsc, a.kind == EventKind::kKick) < std::pair(b.tsc, b.kind == EventKind::kKick);
  });
  return events;
}

/// Whether an event says that the AP of this attempt is, or was, past its claim.
bool tells_of_claim(const Event &event) {
  const bool has_word = event.kind == EventKind::kMoved || event.kind == EventKind::kTimeout;
  const State state = Word::from(event.a).state;
  return has_word && Word::from(event.a).attempt == event.attempt && state > State::kKicked &&
         state < State::kAbandoned;
}

/// A start that comes late finds the page of its attempt: no other attempt may have been given it
/// before the old one cannot come any more, by proof or by the claim of a later one.
Finding look_pages(const JudgeContext &context, CpuIndex cpu) {
  std::map<std::uint32_t, std::uint32_t> given_up; // attempt by page, without proof
  for (const Noted &note : context.evidence.by_control(cpu)) {
    const Event &event = note.event;
    const std::uint32_t page = event.attempt % abi::kPages;
    if (event.kind == EventKind::kKick) {
      if (const auto it = given_up.find(page); it != given_up.end())
        return fmt::format(
            "CPU {} was kicked for attempt {} with the page of attempt {}, which may still come", cpu,
            event.attempt, it->second);
    }
    if (tells_of_claim(event))
      std::erase_if(given_up, [&](const auto &each) { return each.second < event.attempt; });
    if (event.kind == EventKind::kTimeout)
      given_up[page] = event.attempt;
    if (event.kind == EventKind::kProven)
      given_up.erase(page);
  }
  return std::nullopt;
}

/// What an attempt that is not over may stand on is nobody else's.
Finding look_areas(const JudgeContext &context) {
  std::map<std::uint64_t, Attempt> stands_on; // by area
  std::map<Attempt, std::uint64_t> area_of;
  for (const Event &event : begins_and_ends(context.evidence)) {
    const Attempt attempt{event.cpu, event.attempt};
    if (event.kind == EventKind::kKick) {
      const auto [it, fresh] = stands_on.try_emplace(event.b, attempt);
      if (!fresh)
        return fmt::format(
            "area {} was given to CPU {} (attempt {}), and CPU {} (attempt {}) may stand on it", event.b,
            event.cpu, event.attempt, it->second.first, it->second.second);
      area_of[attempt] = event.b;
    }
    const bool is_over = event.kind == EventKind::kProven ||
                         (event.kind == EventKind::kTimeout && Word::from(event.a).state == State::kKicked);
    if (const auto it = area_of.find(attempt); is_over && it != area_of.end()) {
      stands_on.erase(it->second);
      area_of.erase(it);
    }
  }
  return std::nullopt;
}

Finding look_kept(const KeptMemory &kept) {
  if (kept.before == kept.after)
    return std::nullopt;
  return fmt::format("{} at {:#x} were changed at {:#x} between time zero and the end", kept.name, kept.begin,
                     kept.changed_at.value_or(kept.begin));
}

/// Who has parked, or is dead, and halts, does so on what is never freed.
Finding look_rest(const JudgeContext &context, const KeptMemory &stacks) {
  const Observation &seen = context.evidence.seen();
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    const auto &shot = seen.cpus[cpu].vcpu;
    const State state = Word::from(seen.cpus[cpu].word).state;
    const bool is_at_rest = shot && shot->mp_state == "halted" && !shot->held && !shot->refused &&
                            (state == State::kParked || state == State::kDead);
    const auto firings = context.evidence.firings(cpu);
    const bool is_undisturbed = context.evidence.crashes(cpu).empty() &&
                                std::none_of(firings.begin(), firings.end(), [&](const Firing *firing) {
                                  return context.scenario.faults[firing->fault].action == Action::kJump;
                                });
    if (is_at_rest && is_undisturbed && (shot->rsp <= stacks.begin || shot->rsp > stacks.begin + stacks.size))
      return fmt::format("CPU {} has come to rest on a stack at {:#x}, and {} are {:#x}..{:#x}", cpu,
                         shot->rsp, stacks.name, stacks.begin, stacks.begin + stacks.size - 1);
  }
  return std::nullopt;
}

} // namespace

std::string blind_to_kept_memory(const JudgeContext &context) { return context.evidence.seen().kept_gap; }

Finding look_nothing_freed_early(const JudgeContext &context) {
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu)
    if (Finding bad = look_pages(context, cpu))
      return bad;
  if (Finding bad = look_areas(context))
    return bad;
  for (const KeptMemory &kept : context.evidence.seen().kept)
    if (Finding bad = kept.is_constant ? look_kept(kept) : look_rest(context, kept))
      return bad;
  return std::nullopt;
}

} // namespace reveille::vmm
