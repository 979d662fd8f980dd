// The sync word: one 64-bit word per CPU, and everything about a bring-up that two
// CPUs must agree on. Which state may follow which, and who may move it, is in
// core/protocol/states.hpp.
#pragma once

#include <bit>
#include <cstdint>

namespace reveille::abi {

/// The states of a sync word, in the order in which an attempt can pass through them:
/// within an attempt the number only ever grows.
enum class State : std::uint16_t {
  kDown = 0,       ///< never kicked
  kKicked,         ///< INIT and SIPI are on their way; nobody has claimed the attempt
  kClaimed,        ///< the AP's trampoline has claimed the attempt
  kAlive,          ///< waiting at alive
  kStarting,       ///< released from alive, runs its STARTING steps
  kStartFailed,    ///< a STARTING step failed; waiting for the order to roll back
  kStarted,        ///< waiting at started
  kSyncing,        ///< released from started, meets the CP for the TSC
  kSynced,         ///< waiting at synced
  kOnlining,       ///< released from synced
  kOnline,         ///< waiting at online
  kIdling,         ///< released from online
  kIdle,           ///< waiting at idle
  kActivating,     ///< released from idle, runs its ONLINE steps
  kActivateFailed, ///< an ONLINE step failed; waiting for the order to roll back
  kActive,         ///< up
  kUndoOnline,     ///< undoes its ONLINE steps
  kDying,          ///< waiting at dying
  kUndoStarting,   ///< undoes its STARTING steps, interrupts off
  kDead,           ///< down, on resources that are never freed
  kAbandoned,      ///< given up by the CP
  kParked,         ///< found out that it was given up, and has come to rest
};

inline constexpr unsigned kStateCount = 22;

/// A sync word, with its parts where they are in memory: bits 63:32 attempt, 31:16 state, 15:0 step.
struct Word {
  std::uint16_t step = 0; ///< completed steps of the section in progress
  State state = State::kDown;
  std::uint32_t attempt = 0; ///< never reused for one CPU; 0: none yet

  constexpr Word() = default;
  constexpr Word(std::uint32_t of_attempt, State in_state, std::uint16_t completed = 0)
      : step(completed), state(in_state), attempt(of_attempt) {}

  friend constexpr bool operator==(const Word &a, const Word &b) { return a.bits() == b.bits(); }

  /// The word as it stands in memory.
  [[nodiscard]] constexpr std::uint64_t bits() const { return std::bit_cast<std::uint64_t>(*this); }

  /// A word from memory. A state that does not exist is kept as it is: ask is_valid() before trusting it.
  [[nodiscard]] static constexpr Word from(std::uint64_t bits) { return std::bit_cast<Word>(bits); }

  /// Whether the bits are a word at all: a known state; every attempt and every step is one.
  [[nodiscard]] static constexpr bool is_valid(std::uint64_t bits) {
    return ((bits >> 16) & 0xffff) < kStateCount;
  }

  [[nodiscard]] constexpr Word with(State next, std::uint16_t next_step = 0) const {
    return {attempt, next, next_step};
  }
};

static_assert(std::endian::native == std::endian::little);
static_assert(Word{7, State::kAlive, 3}.bits() == 0x0000'0007'0003'0003);
static_assert(Word::from(Word{7, State::kAlive, 3}.bits()) == Word{7, State::kAlive, 3});
static_assert(Word{1, State::kKicked, 0}.bits() < Word{1, State::kParked, 0}.bits());
static_assert(Word{1, State::kParked, 9}.bits() < Word{2, State::kDown, 0}.bits());

} // namespace reveille::abi
