// The six sync points, in order, with the states that make each of them.
#pragma once

#include "core/protocol/states.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace reveille::protocol {

enum class Point : std::uint8_t { kAlive, kStarted, kSynced, kOnline, kIdle, kActive };
inline constexpr unsigned kPointCount = 6;

/// A section of steps: who runs them, and when.
enum class Section : std::uint8_t {
  kNone,
  kPrepare,  ///< on the CP, before the kick
  kStarting, ///< on the AP, interrupts off
  kOnline,   ///< on the AP, in thread context
};

struct PointRow {
  Point point;
  std::string_view name;
  State before;    ///< the AP's state on its way to the point
  State arrived;   ///< the state that the AP's hand-over makes
  State released;  ///< the state that the CP's release makes; for active the AP's own
  Section section; ///< the section that the AP runs on its way to the point
};

inline constexpr std::array<PointRow, kPointCount> kPoints = {{
    {Point::kAlive, "alive", State::kClaimed, State::kAlive, State::kStarting, Section::kNone},
    {Point::kStarted, "started", State::kStarting, State::kStarted, State::kSyncing, Section::kStarting},
    {Point::kSynced, "synced", State::kSyncing, State::kSynced, State::kOnlining, Section::kNone},
    {Point::kOnline, "online", State::kOnlining, State::kOnline, State::kIdling, Section::kNone},
    {Point::kIdle, "idle", State::kIdling, State::kIdle, State::kActivating, Section::kNone},
    {Point::kActive, "active", State::kActivating, State::kActive, State::kActive, Section::kOnline},
}};

[[nodiscard]] constexpr const PointRow &row(Point p) { return kPoints[static_cast<std::size_t>(p)]; }
[[nodiscard]] constexpr std::string_view name(Point p) { return row(p).name; }

/// What a CPU still owed when its word was last seen in `s`: a point's name, or dying
/// or dead on the way down. An active CPU owes nothing; it is named by active.
[[nodiscard]] constexpr std::string_view owed(State s) {
  switch (s) {
  case State::kUndoOnline:
  case State::kActivateFailed:
    return "dying";
  case State::kDying:
  case State::kUndoStarting:
  case State::kStartFailed:
  case State::kDead:
    return "dead";
  default:
    break;
  }
  for (const PointRow &p : kPoints)
    if (s < p.arrived || (s == p.arrived && p.point == Point::kActive))
      return p.name;
  return "alive";
}

/// The section whose steps an AP in this state does, has failed in, or undoes; others may be
/// kept out of it meanwhile.
[[nodiscard]] constexpr Section section_of(State s) {
  switch (s) {
  case State::kStarting:
  case State::kStartFailed:
  case State::kUndoStarting:
    return Section::kStarting;
  case State::kActivating:
  case State::kActivateFailed:
  case State::kUndoOnline:
    return Section::kOnline;
  default:
    return Section::kNone;
  }
}

static_assert(owed(State::kKicked) == "alive");
static_assert(owed(State::kAlive) == "started");
static_assert(owed(State::kStarting) == "started");
static_assert(owed(State::kActive) == "active");

namespace detail {
consteval bool points_are_sound() {
  for (std::size_t i = 0; i < kPoints.size(); ++i) {
    const PointRow &p = kPoints[i];
    if (static_cast<std::size_t>(p.point) != i)
      return false;
    if (!row(p.before).owner_moves_to.has(p.arrived) || row(p.before).owner != Owner::kAp)
      return false; // the AP hands over
    if (row(p.arrived).owner != Owner::kCp)
      return false;
    if (p.point != Point::kActive && !row(p.arrived).owner_moves_to.has(p.released))
      return false; // and the CP releases
    if (i + 1 < kPoints.size() && kPoints[i + 1].before != p.released)
      return false; // to the next point
    if (row(p.before).counts_steps != (p.section != Section::kNone))
      return false; // steps are counted where there is a section to run
  }
  return true;
}
} // namespace detail
static_assert(detail::points_are_sound());

} // namespace reveille::protocol
