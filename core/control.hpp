// The control object: what the CP knows of one AP, and what it does next for it. Driven by
// core/driver.hpp; it never waits.
#pragma once

#include "core/settings.hpp"
#include "core/tsc.hpp"
#include "core/undo.hpp"

#include <array>
#include <bit>

namespace reveille::core {

/// What has come of looking at an AP.
enum class Outcome : std::uint8_t {
  kNothing, ///< a mere hint
  kTurn,    ///< the AP was let go on: a fresh turn of its time begins
  kAtGate,  ///< waits at alive, for pass() when its turn has come
  kActive,  ///< decided: up
  kGaveUp,  ///< this attempt has failed; another may be kicked, else failed() decides
};

/// One per AP, on the control CPU, which alone touches it.
template <CpEnvironment E> class Control {
public:
  void init(unsigned cpu) { cpu_ = cpu; }

  /// Begins a new attempt: PREPARE, the swap to (next attempt, kicked), the kick itself.
  [[nodiscard]] Outcome kick(E &env) {
    ++ordinal_;
    const std::uint32_t next = next_attempt();
    if (next == 0 || held_ == quarantine_.size())
      return give_up(abi::FailReason::kNoAttempt);
    attempt_ = next;
    rollback_ = {};
    target_ = {cpu_, attempt_, 0};
    if (const Outcome bad = prepare(env); bad != Outcome::kNothing)
      return bad;
    env.publish_attempt(target_, ordinal_);
    env.at_kick(cpu_);
    if (!open_attempt(env))
      return corrupt(env);
    env.log(Kind::kKick, cpu_, attempt_, ordinal_, target_.token);
    env.kick(cpu_, attempt_);
    return Outcome::kTurn;
  }

  /// Looks at the word, and does what the CP owes it there.
  [[nodiscard]] Outcome look(E &env, const Settings &settings) {
    // Acquire: pairs with the release in ApSide::swap() and come_to_rest().
    const std::uint64_t bits = env.word(cpu_).load(std::memory_order_acquire);
    const Word seen = Word::from(bits);
    if (!open_) {
      if (seen.state == State::kParked && Word::is_valid(bits))
        prove(env, seen);
      return Outcome::kNothing;
    }
    if (!Word::is_valid(bits) || seen.attempt != attempt_)
      return corrupt(env, bits);
    return arrived(env, settings, seen);
  }

  /// Lets an AP that waits at alive run its STARTING steps.
  [[nodiscard]] Outcome pass(E &env) { return release(env, Word{attempt_, State::kAlive, 0}); }

  /// The AP's turn is over: gives it up, unless it has arrived meanwhile.
  [[nodiscard]] Outcome expire(E &env, const Settings &settings) {
    auto &cell = env.word(cpu_);
    // Acquire: the AP may have arrived, as in look().
    std::uint64_t bits = cell.load(std::memory_order_acquire);
    for (;;) {
      const Word seen = Word::from(bits);
      if (!Word::is_valid(bits) || seen.attempt != attempt_)
        return corrupt(env, bits);
      if (!protocol::is_ap_owned(seen.state))
        return arrived(env, settings, seen);
      // Release: who takes the abandoned word over next finds what this CP has written. No
      // acquire: the word that is swapped out was read with one. Acquire on failure: the AP
      // has arrived, or its claim is the proof that ends an older attempt.
      if (cell.compare_exchange_strong(bits, seen.with(State::kAbandoned, seen.step).bits(),
                                       std::memory_order_release, std::memory_order_acquire))
        return abandoned(env, settings, seen);
    }
  }

  /// What the CP reports when no further attempt is to be made.
  void failed(E &env) { env.log(Kind::kFailed, cpu_, attempt_, last_.bits(), why_); }

  [[nodiscard]] unsigned attempts_made() const { return ordinal_; }
  /// Whether a further attempt could help.
  [[nodiscard]] bool can_retry() const { return !hopeless_; }
  /// Attempts of this CPU whose resources are still held.
  [[nodiscard]] unsigned quarantined() const { return held_; }

private:
  using Kind = abi::EventKind;

  static constexpr std::uint32_t page_bit(std::uint32_t attempt) {
    return std::uint32_t{1} << (attempt % abi::kPages);
  }

  /// The next number whose page no unproven or unclaimed attempt has used; 0: none.
  [[nodiscard]] std::uint32_t next_attempt() const {
    for (std::uint32_t skip = 1; skip <= abi::kPages; ++skip)
      if ((debt_ & page_bit(attempt_ + skip)) == 0)
        return attempt_ + skip;
    return 0;
  }

  Outcome prepare(E &env) {
    const unsigned count = env.step_count(Section::kPrepare);
    for (unsigned i = 0; i < count; ++i) {
      env.log(Kind::kStepEnter, cpu_, attempt_, i, static_cast<std::uint64_t>(Section::kPrepare));
      const int error = env.start_step(Section::kPrepare, i, target_);
      env.log(Kind::kStepDone, cpu_, attempt_, i,
              abi::step_result(static_cast<unsigned>(Section::kPrepare), error));
      if (error == 0)
        continue;
      Remains left{target_, i + 1, 0, 0, true};
      static_cast<void>(undo(env, left));
      return give_up_step(Section::kPrepare, i, error);
    }
    return Outcome::kNothing;
  }

  /// Swaps the word to (attempt, kicked), from whatever the last attempt has left.
  /// An AP that was given up may park under the CP's hands: that is proof, taken here.
  [[nodiscard]] bool open_attempt(E &env) {
    auto &cell = env.word(cpu_);
    const Word kicked{attempt_, State::kKicked, 0};
    std::uint64_t bits = cell.load(std::memory_order_acquire);
    for (;;) {
      const Word seen = Word::from(bits);
      if (!Word::is_valid(bits) || !protocol::is_legal(seen, kicked, protocol::Mover::kCp))
        return false;
      if (seen.state == State::kParked)
        prove(env, seen);
      // Release: pairs with the claim; PREPARE's work is seen by the AP. Acquire on failure:
      // the AP has parked meanwhile, and what it used may be undone.
      if (cell.compare_exchange_strong(bits, kicked.bits(), std::memory_order_release,
                                       std::memory_order_acquire)) {
        env.log(Kind::kMoved, cpu_, attempt_, seen.bits(), kicked.bits());
        open_ = true;
        return true;
      }
    }
  }

  /// The AP waits at a point, or with a report.
  Outcome arrived(E &env, const Settings &settings, Word seen) {
    switch (seen.state) {
    case State::kSyncing: // not an arrival yet: the AP wants the CP for the TSC
      if (wants_tsc(env, cpu_, attempt_)) {
        const Skew skew = serve_tsc(env, cpu_, attempt_, settings);
        env.log(Kind::kTscServed, cpu_, attempt_, static_cast<std::uint64_t>(skew.ticks), skew.resolution);
      }
      return Outcome::kNothing;
    case State::kAlive:
      prove_older(env, seen);
      return Outcome::kAtGate;
    case State::kActive:
      open_ = false;
      env.log(Kind::kOnline, cpu_, attempt_, seen.bits(), 0);
      return Outcome::kActive;
    case State::kDead:
      return rolled_back(env, seen);
    case State::kStartFailed:
    case State::kActivateFailed: {
      failure_ = env.failure(target_);
      const bool thread = seen.state == State::kActivateFailed;
      failed_in_ = thread ? Section::kOnline : Section::kStarting;
      (thread ? rollback_.online : rollback_.starting) = failure_.step + 1;
      return release(env, seen);
    }
    case State::kDying:
      rollback_.starting = env.step_count(Section::kStarting);
      return release(env, seen);
    case State::kStarted:
    case State::kSynced:
    case State::kOnline:
    case State::kIdle:
      return release(env, seen);
    default: // a mere hint, unless nobody can have made this state
      return protocol::is_ap_owned(seen.state) ? Outcome::kNothing : corrupt(env, seen.bits());
    }
  }

  /// Lets the AP go on, to the one state that the table has behind this one.
  Outcome release(E &env, Word from) {
    const auto next = static_cast<State>(std::countr_zero(protocol::row(from.state).owner_moves_to.bits()));
    std::uint64_t expected = from.bits();
    // Release: pairs with the acquire in ApSide::await_release().
    if (!env.word(cpu_).compare_exchange_strong(expected, from.with(next).bits(), std::memory_order_release,
                                                std::memory_order_relaxed))
      return corrupt(env, expected);
    env.log(Kind::kMoved, cpu_, attempt_, from.bits(), from.with(next).bits());
    env.wake(cpu_);
    return Outcome::kTurn;
  }

  Outcome abandoned(E &env, const Settings &settings, Word seen) {
    const Word now = seen.with(State::kAbandoned, seen.step);
    env.log(Kind::kMoved, cpu_, attempt_, seen.bits(), now.bits());
    env.log(Kind::kTimeout, cpu_, attempt_, seen.bits(), 0);
    open_ = false;
    last_ = seen;
    debt_ |= page_bit(attempt_);
    Remains left =
        remains_of(seen, target_, env.step_count(Section::kPrepare), env.step_count(Section::kStarting),
                   env.step_count(Section::kOnline), rollback_);
    if (seen.state == State::kKicked) { // never claimed, and now it cannot be: nobody can reach it
      static_cast<void>(undo(env, left));
    } else {
      prove_older(env, seen);
      quarantine_[held_++] = left;
      env.log(Kind::kQuarantined, cpu_, attempt_, seen.bits(), 0);
    }
    if (settings.stop == abi::Stop::kInit) {
      env.log(Kind::kStop, cpu_, attempt_, 0, 0);
      env.stop(cpu_, attempt_);
    }
    return give_up(abi::FailReason::kTimeout);
  }

  /// The AP is dead after a rollback: that is proof, and it has left only PREPARE to undo.
  Outcome rolled_back(E &env, Word seen) {
    open_ = false;
    last_ = seen;
    env.log(Kind::kProven, cpu_, attempt_, seen.bits(), 0);
    Remains left{target_, env.step_count(Section::kPrepare), 0, 0, true};
    static_cast<void>(undo(env, left));
    return give_up_step(failed_in_, failure_.step, failure_.error);
  }

  /// A claimed attempt proves every older one over.
  void prove_older(E &env, Word seen) {
    for (unsigned i = held_; i-- > 0;)
      if (quarantine_[i].target.attempt < seen.attempt)
        settle(env, i, seen);
  }

  /// A parked attempt is over.
  void prove(E &env, Word parked) {
    for (unsigned i = held_; i-- > 0;)
      if (quarantine_[i].target.attempt == parked.attempt)
        settle(env, i, parked);
  }

  /// With proof: undoes what one attempt has left. What may not be undone stays.
  void settle(E &env, unsigned index, Word proof) {
    Remains &left = quarantine_[index];
    if (left.proven)
      return;
    left.proven = true;
    env.log(Kind::kProven, cpu_, left.target.attempt, proof.bits(), 0);
    debt_ &= ~page_bit(left.target.attempt);
    if (undo(env, left))
      quarantine_[index] = quarantine_[--held_];
  }

  Outcome give_up(abi::FailReason reason) {
    hopeless_ = reason != abi::FailReason::kTimeout;
    why_ = abi::failed(reason, 0, 0, 0);
    return Outcome::kGaveUp;
  }

  Outcome give_up_step(Section section, unsigned step, int error) {
    why_ = abi::failed(abi::FailReason::kError, static_cast<unsigned>(section), step, error);
    return Outcome::kGaveUp;
  }

  /// The word is not one that can be there: this CPU is not touched again.
  Outcome corrupt(E &env, std::uint64_t bits) {
    open_ = false;
    last_ = Word::from(bits);
    env.log(Kind::kCorrupt, cpu_, attempt_, bits, 0);
    return give_up(abi::FailReason::kCorrupt);
  }
  Outcome corrupt(E &env) { return corrupt(env, env.word(cpu_).load(std::memory_order_relaxed)); }

  unsigned cpu_ = 0;
  std::uint32_t attempt_ = 0; ///< the last that was kicked
  unsigned ordinal_ = 0;      ///< attempts made in this cycle
  std::uint32_t debt_ = 0;    ///< pages that an unproven or unclaimed attempt has used
  StepTarget target_;
  Rollback rollback_;
  Failure failure_;
  Section failed_in_ = Section::kNone;
  bool open_ = false;     ///< an attempt is in flight
  bool hopeless_ = false; ///< no further attempt can be made
  Word last_;             ///< the word that the last attempt was given up on
  std::uint64_t why_ = 0; ///< abi::failed()
  unsigned held_ = 0;
  std::array<Remains, abi::kPages> quarantine_{};
};

} // namespace reveille::core
