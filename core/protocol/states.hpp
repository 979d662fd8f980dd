// Who owns each state of the sync word, and what may follow it: the one table that the
// core's hand-overs are checked against, that the judge reads, and that the docs print.
#pragma once

#include "core/abi/word.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reveille::protocol {

using abi::State;
using abi::Word;

/// Who may move a word out of a state.
enum class Owner : std::uint8_t {
  kCp,   ///< the control CPU
  kAp,   ///< the AP; the CP may take the word over by abandoning
  kBoth, ///< abandoned: the AP parks, or the CP kicks again
};

/// A set of states, one bit each.
class StateSet {
public:
  constexpr StateSet() = default;
  template <class... S>
  explicit constexpr StateSet(S... states) : bits_(((1u << static_cast<unsigned>(states)) | ... | 0u)) {}
  [[nodiscard]] constexpr bool has(State s) const { return ((bits_ >> static_cast<unsigned>(s)) & 1u) != 0; }
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }

private:
  std::uint32_t bits_ = 0;
};

struct StateRow {
  State state;
  std::string_view name;
  Owner owner;
  StateSet owner_moves_to; ///< within the attempt, by the owner
  bool counts_steps;       ///< the owner may also move it to itself with step + 1
  bool may_kick;           ///< the CP may move it to (a later attempt, kicked)
};

inline constexpr std::array<StateRow, abi::kStateCount> kStates = {{
    // clang-format off
    {State::kDown,           "down",            Owner::kCp,   StateSet(),                                              false, true},
    {State::kKicked,         "kicked",          Owner::kAp,   StateSet(State::kClaimed),                               false, false},
    {State::kClaimed,        "claimed",         Owner::kAp,   StateSet(State::kAlive),                                 false, false},
    {State::kAlive,          "alive",           Owner::kCp,   StateSet(State::kStarting),                              false, false},
    {State::kStarting,       "starting",        Owner::kAp,   StateSet(State::kStarted, State::kStartFailed),          true,  false},
    {State::kStartFailed,    "start-failed",    Owner::kCp,   StateSet(State::kUndoStarting),                          false, false},
    {State::kStarted,        "started",         Owner::kCp,   StateSet(State::kSyncing),                               false, false},
    {State::kSyncing,        "syncing",         Owner::kAp,   StateSet(State::kSynced),                                false, false},
    {State::kSynced,         "synced",          Owner::kCp,   StateSet(State::kOnlining),                              false, false},
    {State::kOnlining,       "onlining",        Owner::kAp,   StateSet(State::kOnline),                                false, false},
    {State::kOnline,         "online",          Owner::kCp,   StateSet(State::kIdling),                                false, false},
    {State::kIdling,         "idling",          Owner::kAp,   StateSet(State::kIdle),                                  false, false},
    {State::kIdle,           "idle",            Owner::kCp,   StateSet(State::kActivating),                            false, false},
    {State::kActivating,     "activating",      Owner::kAp,   StateSet(State::kActive, State::kActivateFailed),        true,  false},
    {State::kActivateFailed, "activate-failed", Owner::kCp,   StateSet(State::kUndoOnline),                            false, false},
    {State::kActive,         "active",          Owner::kCp,   StateSet(State::kUndoOnline),                            false, false},
    {State::kUndoOnline,     "undo-online",     Owner::kAp,   StateSet(State::kDying),                                 true,  false},
    {State::kDying,          "dying",           Owner::kCp,   StateSet(State::kUndoStarting),                          false, false},
    {State::kUndoStarting,   "undo-starting",   Owner::kAp,   StateSet(State::kDead),                                  true,  false},
    {State::kDead,           "dead",            Owner::kCp,   StateSet(),                                              false, true},
    {State::kAbandoned,      "abandoned",       Owner::kBoth, StateSet(State::kParked),                                false, true},
    {State::kParked,         "parked",          Owner::kCp,   StateSet(),                                              false, true},
    // clang-format on
}};

[[nodiscard]] constexpr const StateRow &row(State s) { return kStates[static_cast<std::size_t>(s)]; }

/// The name of a state as the docs and the reports print it; "?" when there is none.
[[nodiscard]] constexpr std::string_view name(State s) {
  return static_cast<std::size_t>(s) < kStates.size() ? row(s).name : std::string_view{"?"};
}

/// A CPU counts as online exactly while this holds of its word.
[[nodiscard]] constexpr bool is_online(State s) { return s >= State::kOnline && s < State::kDying; }

/// Whether a word in this state has been claimed, and not been let go since.
[[nodiscard]] constexpr bool is_ap_owned(State s) { return row(s).owner == Owner::kAp; }

/// Who made a move.
enum class Mover : std::uint8_t { kCp, kAp };

/// Whether `mover` may swap `from` for `to`. The words may be anybody's: a state that does
/// not exist is in no legal move.
[[nodiscard]] constexpr bool is_legal(Word from, Word to, Mover mover) {
  if (static_cast<std::size_t>(from.state) >= kStates.size() ||
      static_cast<std::size_t>(to.state) >= kStates.size())
    return false;
  const StateRow &r = row(from.state);
  if (to.attempt != from.attempt) // a kick
    return mover == Mover::kCp && r.may_kick && to.attempt > from.attempt && to.state == State::kKicked &&
           to.step == 0;
  if (to.state == State::kAbandoned) // the other side's only move; the step is kept as evidence
    return mover == Mover::kCp && r.owner == Owner::kAp && to.step == from.step;
  const bool owns = r.owner == (mover == Mover::kCp ? Owner::kCp : Owner::kAp) ||
                    (r.owner == Owner::kBoth && mover == Mover::kAp);
  if (!owns)
    return false;
  if (to.state == from.state)
    return r.counts_steps && to.step == from.step + 1;
  return r.owner_moves_to.has(to.state) && to.step == 0;
}

namespace detail {
consteval bool table_is_sound() {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (static_cast<std::size_t>(kStates[i].state) != i)
      return false;
    for (std::size_t j = 0; j <= i; ++j) // moves within an attempt only ever grow
      if (kStates[i].owner_moves_to.has(static_cast<State>(j)))
        return false;
  }
  return true;
}
} // namespace detail
static_assert(detail::table_is_sound());

} // namespace reveille::protocol
