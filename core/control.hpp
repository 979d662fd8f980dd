// The control object: what the control side knows of one AP, and what it does next for it.
// Driven by core/driver.hpp on CPU 0, by core/delegate.hpp on others; it never waits.
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
  kAtGate,  ///< waits before a section(), for pass() when its turn has come
  kActive,  ///< decided: up
  kDown,    ///< decided: taken down
  kGaveUp,  ///< this attempt has failed; another may be kicked, else failed() decides
};

/// One per AP. Touched by one control CPU at a time: CPU 0, or the one that it was left to.
template <CpEnvironment E> class Control {
public:
  void init(unsigned cpu) { cpu_ = cpu; }

  /// Begins a cycle: attempts are counted from one again.
  void begin_cycle(std::uint32_t cycle) {
    cycle_ = cycle;
    ordinal_ = 0;
  }

  /// Chooses the next attempt's number and runs its PREPARE steps. kNothing: go on with launch().
  [[nodiscard]] Outcome prepare(E &env) {
    ++ordinal_;
    failed_in_ = Section::kNone;
    const std::uint32_t next = next_attempt();
    if (next == 0 || held_ == quarantine_.size())
      return give_up(abi::FailReason::kNoAttempt);
    attempt_ = next;
    rollback_ = {};
    target_ = {cpu_, attempt_, 0};
    counts_ = step_counts(env);
    publish(env); // for the host, which has PREPARE's steps among its places
    return run_prepare(env);
  }

  /// The swap to (attempt, kicked). kTurn: kick the AP.
  [[nodiscard]] Outcome open(E &env) {
    publish(env);
    env.at_kick(cpu_);
    if (!open_attempt(env))
      return corrupt(env);
    env.log(Kind::kKick, cpu_, attempt_, ordinal_, target_.token);
    return Outcome::kTurn;
  }

  /// The same, and the kick itself.
  [[nodiscard]] Outcome launch(E &env) {
    const Outcome outcome = open(env);
    if (outcome == Outcome::kTurn)
      env.kick(cpu_, attempt_);
    return outcome;
  }

  [[nodiscard, gnu::noinline]] Outcome kick(E &env) {
    const Outcome bad = prepare(env);
    return bad == Outcome::kNothing ? launch(env) : bad;
  }

  /// Begins to take an active AP down: it waits at the gate of its ONLINE teardowns.
  [[nodiscard]] Outcome take_down(E &env) {
    env.log(Kind::kTakeDown, cpu_, attempt_, waiting_.bits(), 0);
    open_ = true;
    going_down_ = true;
    section_ = Section::kOnline;
    rollback_ = {counts_.starting, counts_.online};
    return Outcome::kAtGate;
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

  /// Whether look() would find something: for a CP that waits for this AP alone.
  [[nodiscard]] bool has_news(E &env) {
    const std::uint64_t bits = env.word(cpu_).load(std::memory_order_relaxed);
    const Word seen = Word::from(bits);
    if (!Word::is_valid(bits) || seen.attempt != attempt_ || !protocol::is_ap_owned(seen.state))
      return true;
    return seen.state == State::kSyncing && wants_tsc(env, cpu_, attempt_);
  }

  /// Lets an AP that waits at a gate go on into its section.
  [[nodiscard]] Outcome pass(E &env) { return release(env, waiting_); }

  /// The section that the AP waits for, at a gate; else the one that it is in.
  [[nodiscard]] Section section() const { return section_; }

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

  /// Whether PREPARE's teardowns are this control CPU's to run. What it must leave CPU 0 does,
  /// by finish_undo().
  void set_undoes_prepare(bool undoes) { undoes_prepare_ = undoes; }
  void finish_undo(E &env) {
    for (unsigned i = held_; i-- > 0;)
      if (quarantine_[i].proven)
        clear_up(env, i);
  }

  /// Whether an attempt is in flight.
  [[nodiscard]] bool is_open() const { return open_; }
  [[nodiscard]] unsigned cpu() const { return cpu_; }
  /// The number of the last attempt.
  [[nodiscard]] std::uint32_t attempt() const { return attempt_; }
  [[nodiscard]] unsigned attempts_made() const { return ordinal_; }
  /// Whether a further attempt could help.
  [[nodiscard]] bool can_retry() const { return !hopeless_; }
  /// Whether its last turn may have been waited for to its end: a word that is corrupt is not announced.
  [[nodiscard]] bool has_cost_a_turn() const {
    return why_ == abi::failed(abi::FailReason::kTimeout, 0, 0, 0) ||
           why_ == abi::failed(abi::FailReason::kCorrupt, 0, 0, 0);
  }
  /// Whether the attempt that was given up has ended with a stop, which may still be on its way.
  [[nodiscard]] bool is_stopped(const Settings &settings) const {
    return settings.stop == abi::Stop::kInit && why_ == abi::failed(abi::FailReason::kTimeout, 0, 0, 0);
  }
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

  /// Which attempt this is, what it has so far, and whose it is.
  void publish(E &env) {
    env.publish_attempt(target_, ordinal_, cycle_);
    env.publish_control(cpu_);
  }

  Outcome run_prepare(E &env) {
    for (unsigned i = 0; i < counts_.prepare; ++i) {
      env.log(Kind::kStepEnter, cpu_, attempt_, i, static_cast<std::uint64_t>(Section::kPrepare));
      const int error = env.start_step(Section::kPrepare, i, target_);
      env.log(Kind::kStepDone, cpu_, attempt_, i,
              abi::step_result(static_cast<unsigned>(Section::kPrepare), error));
      if (error == 0)
        continue;
      keep({target_, i + 1, 0, 0, true});
      clear_up(env, held_ - 1);
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
        going_down_ = false;
        section_ = Section::kNone;
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
      return let_go_on(env, seen);
    case State::kActive:
      if (going_down_) // not let go yet
        return Outcome::kAtGate;
      open_ = false;
      section_ = Section::kNone;
      waiting_ = seen;
      env.log(Kind::kOnline, cpu_, attempt_, seen.bits(), 0);
      return Outcome::kActive;
    case State::kDead:
      return dead(env, seen);
    case State::kStartFailed:
    case State::kActivateFailed: {
      failure_ = env.failure(target_);
      const bool thread = seen.state == State::kActivateFailed;
      failed_in_ = thread ? Section::kOnline : Section::kStarting;
      (thread ? rollback_.online : rollback_.starting) = failure_.step + 1;
      return let_go_on(env, seen);
    }
    case State::kDying:
      rollback_.starting = counts_.starting;
      return let_go_on(env, seen);
    case State::kStarted:
    case State::kSynced:
    case State::kOnline:
    case State::kIdle:
      return let_go_on(env, seen);
    default: // a mere hint, unless nobody can have made this state
      return protocol::is_ap_owned(seen.state) ? Outcome::kNothing : corrupt(env, seen.bits());
    }
  }

  /// The one state that the table has behind this one.
  static State next_of(State state) {
    return static_cast<State>(std::countr_zero(protocol::row(state).owner_moves_to.bits()));
  }

  /// Releases the AP, unless that would let it into another section: there it needs pass().
  Outcome let_go_on(E &env, Word from) {
    const Section next = protocol::section_of(next_of(from.state));
    const bool enters = next != Section::kNone && next != protocol::section_of(from.state);
    section_ = next;
    waiting_ = from;
    return enters ? Outcome::kAtGate : release(env, from);
  }

  Outcome release(E &env, Word from) {
    const Word next = from.with(next_of(from.state));
    std::uint64_t expected = from.bits();
    // Release: pairs with the acquire in ApSide::take_release().
    if (!env.word(cpu_).compare_exchange_strong(expected, next.bits(), std::memory_order_release,
                                                std::memory_order_relaxed))
      return corrupt(env, expected);
    section_ = protocol::section_of(next.state);
    env.log(Kind::kMoved, cpu_, attempt_, from.bits(), next.bits());
    env.wake(cpu_);
    return Outcome::kTurn;
  }

  Outcome abandoned(E &env, const Settings &settings, Word seen) {
    const Word now = seen.with(State::kAbandoned, seen.step);
    env.log(Kind::kMoved, cpu_, attempt_, seen.bits(), now.bits());
    env.log(Kind::kTimeout, cpu_, attempt_, seen.bits(), 0);
    close(seen);
    if (seen.state == State::kKicked) { // never claimed, and now it cannot be: nobody can reach it
      keep(remains_of(seen, target_, counts_, rollback_));
      quarantine_[held_ - 1].proven = true;
      clear_up(env, held_ - 1);
    } else {
      prove_older(env, seen);
      keep(remains_of(seen, target_, counts_, rollback_));
      env.log(Kind::kQuarantined, cpu_, attempt_, seen.bits(), 0);
    }
    debt_ |= page_bit(attempt_);
    if (settings.stop == abi::Stop::kInit) {
      env.log(Kind::kStop, cpu_, attempt_, 0, 0);
      env.stop(cpu_, attempt_);
    }
    return give_up(abi::FailReason::kTimeout);
  }

  /// The AP is dead, taken down or rolled back: that is proof, and it has left only PREPARE to
  /// undo.
  [[gnu::noinline]] Outcome dead(E &env, Word seen) {
    close(seen);
    env.log(Kind::kProven, cpu_, attempt_, seen.bits(), 0);
    keep({target_, counts_.prepare, 0, 0, true});
    clear_up(env, held_ - 1);
    if (failed_in_ != Section::kNone)
      return give_up_step(failed_in_, failure_.step, failure_.error);
    env.log(Kind::kOffline, cpu_, attempt_, seen.bits(), 0);
    return Outcome::kDown;
  }

  void close(Word seen) {
    open_ = false;
    section_ = Section::kNone;
    last_ = seen;
  }

  /// A claimed attempt proves every older one over. Those that were never claimed cannot be any
  /// more: this CPU has left the pages that they were started on.
  void prove_older(E &env, Word seen) {
    for (unsigned i = held_; i-- > 0;)
      if (quarantine_[i].target.attempt < seen.attempt)
        settle(env, i, seen);
    debt_ = 0;
  }

  /// A parked attempt is over.
  void prove(E &env, Word parked) {
    for (unsigned i = held_; i-- > 0;)
      if (quarantine_[i].target.attempt == parked.attempt)
        settle(env, i, parked);
  }

  /// With proof: undoes what one attempt has left. What may not be undone stays.
  [[gnu::noinline]] void settle(E &env, unsigned index, Word proof) {
    Remains &left = quarantine_[index];
    if (left.proven)
      return;
    left.proven = true;
    env.log(Kind::kProven, cpu_, left.target.attempt, proof.bits(), 0);
    debt_ &= ~page_bit(left.target.attempt);
    clear_up(env, index);
  }

  /// There is room: an attempt is not begun without.
  void keep(const Remains &left) { quarantine_[held_++] = left; }

  [[gnu::noinline]] void clear_up(E &env, unsigned index) {
    if (undo(env, quarantine_[index], undoes_prepare_))
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
  [[gnu::noinline]] Outcome corrupt(E &env, std::uint64_t bits) {
    close(Word::from(bits));
    env.log(Kind::kCorrupt, cpu_, attempt_, bits, 0);
    return give_up(abi::FailReason::kCorrupt);
  }
  Outcome corrupt(E &env) { return corrupt(env, env.word(cpu_).load(std::memory_order_relaxed)); }

  unsigned cpu_ = 0;
  std::uint32_t cycle_ = 1;
  std::uint32_t attempt_ = 0; ///< the last that was kicked
  unsigned ordinal_ = 0;      ///< attempts made in this cycle
  std::uint32_t debt_ = 0;    ///< pages that an unproven or unclaimed attempt has used
  StepTarget target_;
  StepCounts counts_; ///< of the last attempt: steps may be added while the CPU is up
  Rollback rollback_;
  Failure failure_;
  Section failed_in_ = Section::kNone;
  Section section_ = Section::kNone;
  Word waiting_;               ///< the word of an AP that is at a gate, or active
  bool open_ = false;          ///< an attempt is in flight
  bool going_down_ = false;    ///< it is being taken down
  bool hopeless_ = false;      ///< no further attempt can be made
  bool undoes_prepare_ = true; ///< this control CPU runs PREPARE's teardowns
  Word last_;                  ///< the word that the last attempt was given up on
  std::uint64_t why_ = 0;      ///< abi::failed()
  unsigned held_ = 0;
  std::array<Remains, abi::kPages> quarantine_{};
};

} // namespace reveille::core
