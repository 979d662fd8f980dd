#include "vmm/story/nest.hpp"
#include "vmm/story/tracks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Word;

constexpr std::size_t kLife = 0; ///< depth of an attempt, of being up, of going down
constexpr std::size_t kWay = 1;  ///< of a turn and of a wait
constexpr std::size_t kPart = 2; ///< of what a turn consists of

bool is_step(const Slice *slice) {
  return slice != nullptr && (slice->kind == SliceKind::kStep || slice->kind == SliceKind::kUndoStep);
}

/// What an AP wrote and what control CPUs wrote about it, in the one order that the words allow.
/// Clocks differ, the order of the words does not.
class Merged {
public:
  Merged(const std::vector<Noted> &own, const std::vector<Noted> &control)
      : own_(own), control_(control), next_own_(next_moves(own)), next_control_(next_moves(control)) {}

  /// The next of them; null: that was all.
  const Noted *next(const Times &times) {
    if (o_ == own_.size() && c_ == control_.size())
      return nullptr;
    return c_ == control_.size() || (o_ < own_.size() && own_is_first(times)) ? &own_[o_++] : &control_[c_++];
  }

private:
  /// For each note the word that the first move from it on makes.
  static std::vector<std::uint64_t> next_moves(const std::vector<Noted> &notes) {
    std::vector<std::uint64_t> next(notes.size());
    std::uint64_t word = UINT64_MAX;
    for (std::size_t i = notes.size(); i-- > 0;)
      next[i] = word = notes[i].event.kind == EventKind::kMoved ? notes[i].event.b : word;
    return next;
  }

  [[nodiscard]] bool own_is_first(const Times &times) const {
    const Noted &own = own_[o_];
    const Noted &control = control_[c_];
    if (control.event.kind == EventKind::kMoved && next_own_[o_] < control.event.b)
      return true;
    if (own.event.kind == EventKind::kMoved && next_control_[c_] < own.event.b)
      return false;
    if (own.event.kind == EventKind::kResumed && next_control_[c_] <= own.event.a)
      return false;
    return times.of(own.writer, own.index) <= times.of(control.writer, control.index);
  }

  const std::vector<Noted> &own_;
  const std::vector<Noted> &control_;
  const std::vector<std::uint64_t> next_own_;
  const std::vector<std::uint64_t> next_control_;
  std::size_t o_ = 0;
  std::size_t c_ = 0;
};

class ApTrack {
public:
  ApTrack(const Evidence &evidence, const Times &times, Track &track, std::vector<LooseArrow> &arrows)
      : evidence_(evidence), times_(times), track_(track), arrows_(arrows) {}

  void tell() {
    Merged notes(evidence_.by_itself(track_.cpu), evidence_.by_control(track_.cpu));
    while (const Noted *note = notes.next(times_)) {
      now_ = std::max(now_, times_.of(note->writer, note->index));
      take(*note);
    }
    end_kick();
    track_.slices = std::move(nest_).take(times_.end());
  }

private:
  void take(const Noted &note) {
    const Event &event = note.event;
    const bool own = note.writer == track_.cpu;
    if (const std::string_view what = moment(event.kind); !what.empty())
      track_.instants.push_back({std::string(what), now_, event.attempt,
                                 &evidence_.seen().cpus[note.writer].events[note.index], nullptr});
    switch (event.kind) {
    case EventKind::kMoved:
      moved(Word::from(event.a), Word::from(event.b), note);
      break;
    case EventKind::kResumed:
      if (own && Word::is_valid(event.a))
        resumed(Word::from(event.a));
      break;
    case EventKind::kStepEnter:
    case EventKind::kUndoEnter:
      if (own)
        step_begins(event);
      break;
    case EventKind::kStepDone:
    case EventKind::kUndoDone:
      if (own)
        step_ends(event);
      break;
    default:
      break;
    }
  }

  void moved(Word from, Word to, const Noted &note) {
    if (to.state == from.state) // a step is done
      return;
    switch (to.state) {
    case State::kKicked:
      return kicked(to, note);
    case State::kClaimed:
      in_turn(to, "alive");
      nest_.close(kPart, now_, SliceEnd::kDone);
      open(SliceKind::kEntry, "entry", to);
      if (kick_)
        kick_->arrow.claim_us = kick_->arrow.to_us = now_;
      return;
    case State::kActive:
      nest_.close(kLife, now_, SliceEnd::kDone);
      open(SliceKind::kUp, "up", to);
      return;
    case State::kDead:
    case State::kParked:
      return nest_.close(kLife, now_, SliceEnd::kDone);
    case State::kAbandoned:
      end_kick();
      nest_.close(kLife, now_, SliceEnd::kGivenUp);
      open(SliceKind::kLate, "given up", to);
      return;
    default:
      break;
    }
    if (!protocol::is_ap_owned(to.state))
      arrived(from, to);
    else if (note.writer != track_.cpu) // a release: the AP goes on when it has seen it
      release_ = LooseArrow{{ArrowKind::kRelease,
                             to.attempt,
                             0,
                             0,
                             times_.of(note.writer, note.index),
                             {},
                             0,
                             waiting_at(from.state)},
                            note.writer};
  }

  void kicked(Word to, const Noted &note) {
    end_kick();
    nest_.close(kLife, now_, SliceEnd::kDone);
    in_turn(to, "alive");
    open(SliceKind::kTrampoline, "trampoline", to);
    if (note.writer == track_.cpu) // nobody kicks itself
      return;
    const double us = times_.of(note.writer, note.index);
    kick_ = LooseArrow{{ArrowKind::kKick, to.attempt, 0, 0, us, {}, us, "alive"}, note.writer};
  }

  /// The AP has handed its word over, and waits.
  void arrived(Word from, Word to) {
    if (to.state == State::kAlive && kick_ && kick_->arrow.claim_us) {
      kick_->arrow.to_us = now_;
      end_kick();
    }
    const bool failed = to.state == State::kStartFailed || to.state == State::kActivateFailed;
    life(to);
    nest_.close(kWay, now_, failed ? SliceEnd::kFailed : SliceEnd::kDone);
    // At which point it waits: what it owed on its way there.
    const std::string_view place = protocol::owed(from.state);
    Slice &wait = open(SliceKind::kWait, failed ? "wait to roll back" : fmt::format("wait at {}", place), to);
    wait.place = place;
  }

  void resumed(Word to) {
    if (!protocol::is_ap_owned(to.state))
      return;
    if (release_ && release_->arrow.attempt == to.attempt) {
      release_->arrow.to_us = now_;
      arrows_.push_back(*release_);
    }
    release_.reset();
    if (to.state == State::kUndoOnline)
      if (const Slice *now = nest_.at(kLife); now != nullptr && now->kind == SliceKind::kUp)
        nest_.close(kLife, now_, SliceEnd::kDone);
    nest_.close(kWay, now_, SliceEnd::kDone);
    in_turn(to, protocol::owed(to.state));
  }

  void step_begins(const Event &event) {
    if (is_step(nest_.top())) // nobody has written down its end
      nest_.close(nest_.depth() - 1, now_, SliceEnd::kOpen);
    nest_.open(step_of(evidence_.seen().steps, event), now_);
  }

  void step_ends(const Event &event) {
    Slice *step = nest_.top();
    const bool undo = event.kind == EventKind::kUndoDone;
    if (!is_step(step) || (step->kind == SliceKind::kUndoStep) != undo || step->step != event.a ||
        step->attempt != event.attempt)
      return;
    step->error = undo ? 0 : static_cast<int>(static_cast<std::uint32_t>(event.b >> 32));
    nest_.close(nest_.depth() - 1, now_, step->error == 0 ? SliceEnd::kDone : SliceEnd::kFailed);
  }

  /// Makes sure that there is a slice of the attempt, or of its way down, to put others into.
  void life(Word word) {
    if (nest_.depth() != 0)
      return;
    const bool down = word.state > State::kActive;
    open(down ? SliceKind::kDown : SliceKind::kAttempt,
         down ? "down" : fmt::format("attempt {}", word.attempt), word);
  }

  /// Makes sure that the AP is on its way to a place.
  void in_turn(Word word, std::string_view place) {
    life(word);
    if (nest_.depth() == kWay)
      open(SliceKind::kTurn, std::string(place), word).place = place;
  }

  Slice &open(SliceKind kind, std::string name, Word word) {
    Slice slice;
    slice.kind = kind;
    slice.name = std::move(name);
    slice.about = track_.cpu;
    slice.attempt = word.attempt;
    return nest_.open(std::move(slice), now_);
  }

  void end_kick() {
    if (kick_ && kick_->arrow.claim_us) // one that was never claimed leads nowhere
      arrows_.push_back(*kick_);
    kick_.reset();
  }

  const Evidence &evidence_;
  const Times &times_;
  Track &track_;
  std::vector<LooseArrow> &arrows_;
  Nest nest_;
  double now_ = 0;
  std::optional<LooseArrow> kick_;    ///< on its way
  std::optional<LooseArrow> release_; ///< likewise
};

} // namespace

void tell_ap(const Evidence &evidence, const Times &times, Track &track, std::vector<LooseArrow> &arrows) {
  ApTrack(evidence, times, track, arrows).tell();
}

} // namespace reveille::vmm
