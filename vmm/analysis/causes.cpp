#include "vmm/analysis/causes.hpp"

#include <algorithm>

namespace reveille::vmm {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Word;
using protocol::Section;

namespace {

constexpr std::size_t kFarthest = 4096; ///< events that are looked through for one

/// What an AP does in a state.
LinkKind work_in(State state) {
  switch (state) {
  case State::kKicked:
  case State::kClaimed:
    return LinkKind::kAlive;
  case State::kStarting:
    return LinkKind::kStarting;
  case State::kSyncing:
    return LinkKind::kTsc;
  case State::kOnlining:
    return LinkKind::kOnline;
  case State::kIdling:
    return LinkKind::kIdle;
  case State::kActivating:
    return LinkKind::kActive;
  case State::kUndoOnline:
  case State::kUndoStarting:
    return LinkKind::kUndo;
  default:
    return LinkKind::kUnknown;
  }
}

Section section_of(const Event &event) { return static_cast<Section>(event.b & 0xff); }

bool is_step(EventKind kind) { return kind == EventKind::kStepEnter || kind == EventKind::kStepDone; }
bool is_undo(EventKind kind) { return kind == EventKind::kUndoEnter || kind == EventKind::kUndoDone; }

std::optional<protocol::Point> point_arrived_at(State state) {
  for (const protocol::PointRow &row : protocol::kPoints)
    if (row.arrived == state)
      return row.point;
  return std::nullopt;
}

/// The point that an AP in this state is on its way to; none on the way down.
std::optional<protocol::Point> point_owed(State state) {
  for (const protocol::PointRow &row : protocol::kPoints)
    if (state < row.arrived)
      return row.point;
  return std::nullopt;
}

/// What lets a control CPU begin with another AP, or end the run: something decided, or the last one
/// that was begun.
bool is_opening(EventKind kind) {
  switch (kind) {
  case EventKind::kZero:
  case EventKind::kCycle:
  case EventKind::kKick:
  case EventKind::kTimeout:
  case EventKind::kOnline:
  case EventKind::kFailed:
  case EventKind::kTakeDown:
  case EventKind::kOffline:
  case EventKind::kDelegated:
  case EventKind::kReturned:
  case EventKind::kAdopted:
    return true;
  default:
    return false;
  }
}

ChainLink link_of(LinkKind kind, CpuIndex cpu, CpuIndex with,
                  std::optional<protocol::Point> point = std::nullopt) {
  ChainLink link;
  link.kind = kind;
  link.cpu = cpu;
  link.with = with;
  link.point = point;
  return link;
}

} // namespace

Cause Causes::of(Spot at, Below below) const {
  const Event &event = history_.event(at);
  return at.ring != 0 && at.ring == event.cpu ? on_ap(at) : on_control(at, below);
}

Cause Causes::on_ap(Spot at) const {
  const Event &event = history_.event(at);
  if (event.kind == EventKind::kResumed) {
    const Word word = Word::from(event.a);
    std::optional<protocol::Point> point;
    for (const protocol::PointRow &row : protocol::kPoints)
      if (row.released == word.state)
        point = row.point;
    return {history_.control_move(at.ring, word),
            link_of(LinkKind::kResume, at.ring, at.ring, point),
            at.ring,
            {}};
  }
  if (event.kind == EventKind::kMoved) {
    const Word to = Word::from(event.b);
    std::optional<Spot> called;
    if (to.state == State::kClaimed)
      called = history_.last(EventKind::kKick, at.ring, to.attempt, SIZE_MAX);
    if (to.state == State::kSynced)
      called = history_.last(EventKind::kTscServed, at.ring, to.attempt, SIZE_MAX);
    if (called)
      return {called, link_of(work_in(Word::from(event.a).state), at.ring, at.ring), at.ring, {}};
  }
  return own_work(at);
}

/// It did what lies before by itself.
Cause Causes::own_work(Spot at) const {
  const Event &event = history_.event(at);
  LinkKind kind = LinkKind::kUnknown;
  if (event.kind == EventKind::kMoved)
    kind = work_in(Word::from(event.a).state);
  else if (is_step(event.kind))
    kind = section_of(event) == Section::kOnline ? LinkKind::kActive : LinkKind::kStarting;
  else if (is_undo(event.kind))
    kind = LinkKind::kUndo;
  Cause cause{history_.before(at), link_of(kind, at.ring, at.ring), at.ring, {}};
  if (event.kind == EventKind::kStepDone && cause.from)
    if (const Event &began = history_.event(*cause.from);
        began.kind == EventKind::kStepEnter && began.a == event.a) {
      cause.link.step = static_cast<std::size_t>(event.a);
      cause.link.step_us = history_.us(at) - history_.us(*cause.from);
    }
  return cause;
}

Cause Causes::busy(Spot at, LinkKind kind) const {
  const auto before = history_.before(at);
  // Its sending comes after the kick has been written down.
  if (before && history_.event(*before).kind == EventKind::kKick)
    return {before, link_of(LinkKind::kKick, at.ring, history_.event(*before).cpu), at.ring, {}};
  return {before, link_of(kind, at.ring, history_.event(at).cpu), at.ring, {}};
}

/// The control CPU has acted on an arrival: it waited for it, or was busy until later than that.
Cause Causes::later_of(Spot at, std::optional<Spot> arrival, const ChainLink &waited,
                       LinkKind otherwise) const {
  const auto before = history_.before(at);
  if (arrival && (!before || history_.us(*arrival) >= history_.us(*before)))
    return {arrival, waited, at.ring, {}};
  return busy(at, otherwise);
}

Cause Causes::on_control(Spot at, Below below) const {
  const Event &event = history_.event(at);
  switch (event.kind) {
  case EventKind::kMoved:
    return moved_by_control(at, below);
  case EventKind::kStepEnter:
    return event.a == 0 ? began(at, LinkKind::kControl, below) : busy(at, LinkKind::kPrepare);
  case EventKind::kStepDone:
    return busy(at, LinkKind::kPrepare);
  case EventKind::kKick:
    return busy(at, LinkKind::kKick);
  case EventKind::kDelegated:
  case EventKind::kTakeDown:
  case EventKind::kDecided:
    return began(at, LinkKind::kControl, below);
  case EventKind::kOnline:
    return later_of(at, history_.own_move(event.cpu, Word::from(event.a)),
                    link_of(LinkKind::kRelease, event.cpu, event.cpu, protocol::Point::kActive));
  case EventKind::kTscServed:
    return later_of(at, history_.last(EventKind::kResumed, event.cpu, event.attempt, SIZE_MAX),
                    link_of(LinkKind::kTsc, event.cpu, event.cpu), LinkKind::kTsc);
  case EventKind::kProven: // by a park, or a death
    return later_of(at, history_.own_move(event.cpu, Word::from(event.a)),
                    link_of(LinkKind::kControl, at.ring, event.cpu));
  case EventKind::kReturned:
    return came_back(at, LinkKind::kReturn, below);
  case EventKind::kAdopted:
  case EventKind::kFenced:
    return came_back(at, LinkKind::kLease, below);
  case EventKind::kFailed:
    if (abi::failure_of(event.b).reason == abi::FailReason::kLost)
      return lapsed(at, below);
    return busy(at, LinkKind::kControl);
  case EventKind::kUndoEnter:
  case EventKind::kUndoDone:
    return busy(at, LinkKind::kUndo);
  default:
    return busy(at, LinkKind::kControl);
  }
}

Cause Causes::moved_by_control(Spot at, Below below) const {
  const Event &event = history_.event(at);
  const Word from = Word::from(event.a);
  const Word to = Word::from(event.b);
  if (!Word::is_valid(event.a) || !Word::is_valid(event.b))
    return busy(at, LinkKind::kControl);
  if (to.state == State::kAbandoned)
    return gave_up(at);
  if (to.state == State::kKicked) {
    // PREPARE may have been done by CPU 0.
    const auto before = history_.before(at);
    const bool goes_on = before && history_.event(*before).cpu == event.cpu;
    return goes_on ? busy(at, LinkKind::kKick) : began(at, LinkKind::kKick, below);
  }
  if (from.state == State::kActive) // it is told to go down
    return busy(at, LinkKind::kControl);
  return later_of(at, history_.own_move(event.cpu, from),
                  link_of(protocol::section_of(from.state) == Section::kNone && from.state < State::kActive
                              ? LinkKind::kRelease
                              : LinkKind::kUndo,
                          event.cpu, event.cpu, point_arrived_at(from.state)));
}

/// A turn's time was up: it began with the kick, or with the last release.
Cause Causes::gave_up(Spot at) const {
  const Event &event = history_.event(at);
  const Word last = Word::from(event.a);
  const bool by_kick = last.state == State::kKicked || last.state == State::kClaimed;
  const auto turn = by_kick ? history_.last(EventKind::kKick, event.cpu, last.attempt, SIZE_MAX)
                            : history_.control_move(event.cpu, last.with(last.state));
  const auto before = history_.before(at);
  const double timeout_us = scenario_.bringup.timeout_ms * 1000;
  // A control CPU that comes late to it was busy.
  if (!turn || (before && history_.us(*before) > history_.us(*turn) + timeout_us))
    return busy(at, LinkKind::kControl);
  return {turn, link_of(LinkKind::kTimeout, event.cpu, event.cpu, point_owed(last.state)), event.cpu, {}};
}

/// The control CPU took up another AP: as soon as something opened the way, whatever it served in
/// between. One that AP was left to: as soon as it was.
Cause Causes::began(Spot at, LinkKind kind, Below below) const {
  const Event &event = history_.event(at);
  if (at.ring != 0)
    if (const auto left = history_.last(EventKind::kDelegated, event.cpu, 0, below[0]))
      return {left, link_of(LinkKind::kDelegate, at.ring, event.cpu), at.ring, {}};
  Cause cause = busy(at, kind);
  for (auto before = cause.from; before && !cause.opening; before = history_.before(*before))
    if (is_opening(history_.event(*before).kind))
      cause.opening = before;
  return cause;
}

Cause Causes::in_between(Spot at) const {
  const Event &event = history_.event(at);
  const bool prepares = is_step(event.kind) && section_of(event) == Section::kPrepare;
  return busy(at, prepares ? LinkKind::kPrepare : is_undo(event.kind) ? LinkKind::kUndo : LinkKind::kControl);
}

/// What another control CPU has last written about the AP, or that it was left to it.
std::optional<Spot> Causes::last_sign(CpuIndex control, CpuIndex of, Below below) const {
  const auto &ring = history_.ring(control);
  const std::size_t end = std::min(below[control], ring.size());
  for (std::size_t i = end; i-- > 0 && end - i <= kFarthest;)
    if (ring[i].cpu == of)
      return Spot{control, i};
  return history_.last(EventKind::kDelegated, of, 0, below[0]);
}

/// CPU 0 heard of an AP that was left to another control CPU, or no longer heard of it.
Cause Causes::came_back(Spot at, LinkKind kind, Below below) const {
  const Event &event = history_.event(at);
  if (event.a >= history_.cpus() || event.a == 0)
    return busy(at, LinkKind::kControl);
  const auto other = static_cast<CpuIndex>(event.a);
  const auto sign = last_sign(other, event.cpu, below);
  const ChainLink link = link_of(kind, other, event.cpu);
  if (event.kind == EventKind::kFenced) // a lease takes its time to lapse, whatever CPU 0 does then
    return {sign, link, other, {}};
  if (event.kind == EventKind::kAdopted) // and so does the other one to find that it is shut out
    if (const auto fenced = history_.last(EventKind::kFenced, event.cpu, 0, std::min(below[0], at.index)))
      return {fenced, link, other, {}};
  return later_of(at, sign, link);
}

/// A control CPU that was shut out has not let go of its AP either.
Cause Causes::lapsed(Spot at, Below below) const {
  const Event &event = history_.event(at);
  const auto fenced = history_.last(EventKind::kFenced, event.cpu, 0, std::min(below[0], at.index));
  if (at.ring != 0 || !fenced || history_.event(*fenced).a >= history_.cpus())
    return busy(at, LinkKind::kControl);
  const auto other = static_cast<CpuIndex>(history_.event(*fenced).a);
  return {fenced, link_of(LinkKind::kLease, other, event.cpu), other, {}};
}

} // namespace reveille::vmm
