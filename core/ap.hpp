// The AP's side: up from the claim to active, and down again, or to its rest.
#pragma once

#include "core/arrivals.hpp"
#include "core/claim.hpp"
#include "core/lease.hpp"
#include "core/tsc.hpp"

namespace reveille::core {

/// How an AP's way up ended.
enum class ApEnd : std::uint8_t {
  kActive, ///< up: the CP owns the word
  kRest,   ///< given up, or rolled back: must call come_to_rest() on resources that are never freed
};

/// What an idle CPU is called for.
enum class ApCall : std::uint8_t {
  kDown,    ///< must call go_down()
  kControl, ///< has been left an AP to bring up: core/delegate.hpp
  kGone,    ///< its word is not its own any more: must come to rest
};

/// One claimed attempt, on the AP itself, on its own stack.
template <ApEnvironment E> class ApSide {
public:
  ApSide(E &env, Word claimed, const Settings &settings)
      : env_(env), settings_(settings), word_(claimed), counts_(step_counts(env)) {}

  /// Goes through the points in their order.
  [[nodiscard]] ApEnd bring_up() {
    // The claim, written down by the first code that has something to write to.
    env_.log(Kind::kMoved, env_.cpu(), word_.attempt, word_.with(State::kKicked).bits(), word_.bits());
    for (const protocol::PointRow &point : protocol::kPoints) {
      if (!way_to(point))
        return ApEnd::kRest;
      env_.at(arriving(point.point));
      if (!hand_over(point.arrived))
        return ApEnd::kRest;
      if (point.point != Point::kActive && !await_release(point.released))
        return ApEnd::kRest;
      env_.at(released(point.point));
    }
    return ApEnd::kActive;
  }

  /// Up, and in the idle loop until this CPU is called for.
  [[nodiscard]] ApCall idle() {
    auto &cell = env_.word(env_.cpu());
    auto &lease = env_.lease(env_.cpu());
    const std::uint64_t mine = word_.bits();
    const auto is_leased = [&] {
      const auto phase = Lease::from(lease.load(std::memory_order_relaxed)).phase;
      return phase == Lease::Phase::kHeld || phase == Lease::Phase::kFenced;
    };
    env_.idle([&] { return cell.load(std::memory_order_relaxed) != mine || is_leased(); });
    if (is_leased())
      return ApCall::kControl;
    return take_release(State::kUndoOnline) ? ApCall::kDown : ApCall::kGone;
  }

  /// Undoes its ONLINE and then its STARTING steps. What is left to do then is to come to rest.
  void go_down() {
    StepTarget target = this_attempt();
    if (undo(Section::kOnline, counts_.online, target))
      leave_thread_context(target);
  }

  /// The last word that this AP wrote or was given: what come_to_rest() starts from.
  [[nodiscard]] Word word() const { return word_; }

private:
  using Point = protocol::Point;
  using Kind = abi::EventKind;

  static constexpr abi::Place arriving(Point p) {
    return static_cast<abi::Place>(2 * static_cast<unsigned>(p));
  }
  static constexpr abi::Place released(Point p) {
    return static_cast<abi::Place>(2 * static_cast<unsigned>(p) + 1);
  }

  [[nodiscard]] StepTarget this_attempt() { return {env_.cpu(), word_.attempt, env_.token()}; }

  /// What has to be done between the last point and this one. False: not to be gone on with.
  bool way_to(const protocol::PointRow &point) {
    if (point.point == Point::kSynced)
      meet_for_tsc(env_, word_.attempt, settings_, [this] { announce(env_); });
    if (point.point == Point::kIdle)
      env_.enter_idle();
    if (point.section == Section::kNone)
      return true;
    return run_section(point.section, point.section == Section::kOnline ? counts_.online : counts_.starting);
  }

  bool run_section(Section section, unsigned count) {
    StepTarget target = this_attempt();
    for (unsigned i = 0; i < count; ++i) {
      env_.log(Kind::kStepEnter, env_.cpu(), word_.attempt, i, static_cast<std::uint64_t>(section));
      const int error = env_.start_step(section, i, target);
      env_.log(Kind::kStepDone, env_.cpu(), word_.attempt, i,
               abi::step_result(static_cast<unsigned>(section), error));
      if (error != 0) {
        roll_back(section, i, error, target);
        return false;
      }
      if (!swap(word_.with(word_.state, static_cast<std::uint16_t>(i + 1))))
        return false;
    }
    return true;
  }

  /// Reports a failed step, and on the CP's order undoes what this AP has done, the failed
  /// step counting as half done. What is left to do then is to come to rest.
  void roll_back(Section section, unsigned step, int error, StepTarget &target) {
    env_.put_failure(step, error);
    const bool thread = section == Section::kOnline;
    if (!hand_over(thread ? State::kActivateFailed : State::kStartFailed) ||
        !await_release(thread ? State::kUndoOnline : State::kUndoStarting) ||
        !undo(section, step + 1, target))
      return;
    if (thread)
      leave_thread_context(target);
    else
      env_.at(abi::Place::kDead);
  }

  /// The ONLINE steps are undone: through dying to the end of the STARTING steps.
  void leave_thread_context(StepTarget &target) {
    env_.leave_idle();
    env_.at(abi::Place::kDying);
    if (hand_over(State::kDying) && await_release(State::kUndoStarting) &&
        undo(Section::kStarting, counts_.starting, target))
      env_.at(abi::Place::kDead);
  }

  /// Undoes the first `count` steps of a section in reverse. Undoing cannot fail; false
  /// when the CP has given this AP up meanwhile.
  bool undo(Section section, unsigned count, StepTarget &target) {
    for (unsigned done = 0; done < count; ++done) {
      const unsigned i = count - 1 - done;
      env_.log(Kind::kUndoEnter, env_.cpu(), word_.attempt, i, static_cast<std::uint64_t>(section));
      env_.undo_step(section, i, target);
      env_.log(Kind::kUndoDone, env_.cpu(), word_.attempt, i, static_cast<std::uint64_t>(section));
      if (!swap(word_.with(word_.state, static_cast<std::uint16_t>(done + 1))))
        return false;
    }
    return true;
  }

  bool swap(Word next) {
    std::uint64_t expected = word_.bits();
    // Release: pairs with the CP's acquire in Control::look() and Control::expire(), which
    // take over what this AP has written.
    if (!env_.word(env_.cpu())
             .compare_exchange_strong(expected, next.bits(), std::memory_order_release,
                                      std::memory_order_relaxed))
      return false;
    env_.log(Kind::kMoved, env_.cpu(), word_.attempt, word_.bits(), next.bits());
    word_ = next;
    return true;
  }

  bool hand_over(State arrived) {
    if (!swap(word_.with(arrived)))
      return false;
    announce(env_);
    return true;
  }

  /// Waits for the CP to let this AP go on. It never gives up by itself: that would be a
  /// second contested transition.
  bool await_release(State released_state) {
    auto &cell = env_.word(env_.cpu());
    const std::uint64_t mine = word_.bits();
    env_.wait([&] { return cell.load(std::memory_order_relaxed) != mine; });
    return take_release(released_state);
  }

  bool take_release(State released_state) {
    // Acquire: pairs with the release in Control::release().
    const Word seen = Word::from(env_.word(env_.cpu()).load(std::memory_order_acquire));
    if (seen != word_.with(released_state))
      return false;
    env_.log(Kind::kResumed, env_.cpu(), seen.attempt, seen.bits(), 0);
    word_ = seen;
    return true;
  }

  E &env_;
  const Settings &settings_;
  Word word_;
  StepCounts counts_; ///< of this attempt: steps may be added once it is up
};

/// The last thing that an AP does with its word. Called on resources that are never freed,
/// because after its swap everything else may be. `last` is ApSide::word().
///
/// An AP that has gone down, or was rolled back, goes dead; one that finds itself given up
/// parks; one that loses both swaps has been kicked again, and rests in silence.
template <ApEnvironment E> void come_to_rest(E &env, Word last) {
  auto &cell = env.word(env.cpu());
  const auto swap = [&](Word from, Word to) {
    std::uint64_t expected = from.bits();
    // Release: all that this attempt has ever done comes before the CP frees any of it.
    if (!cell.compare_exchange_strong(expected, to.bits(), std::memory_order_release,
                                      std::memory_order_relaxed))
      return false;
    env.log(abi::EventKind::kMoved, env.cpu(), from.attempt, from.bits(), to.bits());
    announce(env);
    return true;
  };
  if (last.state == State::kUndoStarting && swap(last, last.with(State::kDead)))
    return;
  const Word seen = Word::from(cell.load(std::memory_order_relaxed));
  if (seen.attempt == last.attempt && seen.state == State::kAbandoned)
    static_cast<void>(swap(seen, seen.with(State::kParked)));
}

} // namespace reveille::core
