// What each CPU did in a run, as the one model that every picture of it is drawn from: who was
// where, from when to when, and what led to what.
#pragma once

#include "core/protocol/points.hpp"
#include "vmm/judge/observation.hpp"
#include "vmm/judge/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

enum class SliceKind : std::uint8_t {
  // Of an AP.
  kAttempt,    ///< from the kick to active, or until it was given up
  kTurn,       ///< the AP's way to a point
  kTrampoline, ///< from the kick to the claim
  kEntry,      ///< from the claim to alive
  kWait,       ///< at a point, until the AP has seen its release
  kStep,       ///< a step's startup
  kUndoStep,   ///< a step's teardown
  kUp,         ///< active
  kDown,       ///< from the order to go down to dead
  kLate,       ///< given up, and not parked yet
  // Of a control CPU.
  kCycle,   ///< one bringing-up of all
  kPrepare, ///< the PREPARE steps of one AP
  kClearUp, ///< the teardowns that it runs on an AP's behalf
  kKick,    ///< the swap of the word, until the kick is on its way
  kRelease, ///< of an AP from a point; takes no time that is recorded
  kGiveUp,  ///< likewise
};
inline constexpr std::size_t kSliceKinds = 16;
[[nodiscard]] std::string_view name(SliceKind kind);

enum class SliceEnd : std::uint8_t {
  kDone,
  kFailed,  ///< a step that returned an error, a turn that ended in its report
  kGivenUp, ///< the CP took the word away
  kOpen,    ///< still so when the run ended, or nobody has written down its end
};
[[nodiscard]] std::string_view name(SliceEnd end);

/// A stretch of time on a track. Slices of a track nest: one is inside another, or beside it.
struct Slice {
  SliceKind kind{};
  std::string name; ///< "attempt 1", "started", "lapic"; may hold any bytes that a guest has named
  double begin_us = 0;
  double end_us = 0;
  unsigned depth = 0; ///< 0: in no other
  CpuIndex about = 0; ///< the AP that it is about
  std::uint32_t attempt = 0;
  SliceEnd end = SliceEnd::kOpen;
  std::string_view place{};    ///< of a turn, a wait and a release: the point, or dying or dead
  protocol::Section section{}; ///< of a step
  unsigned step = 0;           ///< its index in that section
  int error = 0;               ///< what it returned
};

/// Something of a moment. What the guest wrote is `event`, what the host did is `firing`.
struct Instant {
  std::string name; ///< "kick", "timeout", "stall at started"
  double at_us = 0;
  std::uint32_t attempt = 0;
  const abi::Event *event = nullptr; ///< in the observation
  const Firing *firing = nullptr;    ///< likewise
};

/// How long a fault had a vCPU.
struct Hold {
  const Firing *firing = nullptr; ///< in the observation
  double began_us = 0;
  double ended_us = 0; ///< of an endless one the end of the story
  bool open = false;   ///< it still had it then
  unsigned lane = 0;   ///< holds of one track that overlap have different lanes
};

/// One CPU, in one of its two roles.
struct Track {
  CpuIndex cpu = 0;
  bool control = false; ///< as a control CPU; CPU 0 has no other role
  CpuOutcome outcome = CpuOutcome::kNotAttempted;
  std::string reason;        ///< "timeout@alive"; empty unless it failed
  std::vector<Slice> slices; ///< by begin; what contains others stands before them
  std::vector<Instant> instants;
  std::vector<Hold> holds;
};

enum class ArrowKind : std::uint8_t {
  kKick,    ///< from the kick to alive
  kRelease, ///< from a release to the AP that has seen it
};
[[nodiscard]] std::string_view name(ArrowKind kind);

struct Arrow {
  ArrowKind kind{};
  std::uint32_t attempt = 0;
  std::size_t from = 0; ///< index of a track
  std::size_t to = 0;
  double from_us = 0;
  std::optional<double> claim_us; ///< of a kick: between the two
  double to_us = 0;               ///< of a kick that never led to alive: the claim
  std::string_view place{};       ///< the point
};

/// All times are microseconds from time zero. An AP's times are of its own clock, a hold's of the
/// host's. Times of a guest may be anything: here they never run backwards on a track, none is
/// before time zero, and none after the end of the run.
struct Story {
  double begin_us = 0;       ///< below zero when a fault struck before time zero
  double end_us = 0;         ///< of the last thing that is known
  std::vector<Track> tracks; ///< CPU 0 first; a CPU in both roles has one after the other
  std::vector<Arrow> arrows;
};

/// Tells a run. The observation must outlive the story.
[[nodiscard]] Story tell_story(const Scenario &scenario, const Observation &seen, const Verdict &verdict);

} // namespace reveille::vmm
