// What an attempt has left behind, and undoing it on its behalf.
#pragma once

#include "core/environment.hpp"

#include <algorithm>
#include <array>

namespace reveille::core {

/// How many steps of each section are still to be undone for one attempt, the one that was
/// in flight included. An attempt in quarantine keeps its record; nothing in it is undone,
/// freed or rewritten before there is proof that the attempt is over.
struct Remains {
  StepTarget target;
  unsigned prepare = 0;
  unsigned starting = 0;
  unsigned online = 0;
  bool proven = false; ///< over: what is left, the CP may not undo, or not this one
};

/// How many steps the way down began with, for an attempt that is given up on it.
struct Rollback {
  unsigned starting = 0;
  unsigned online = 0;
};

/// What an attempt has left when its word was last `seen`, its AP not having undone it.
[[nodiscard]] constexpr Remains remains_of(Word seen, StepTarget target, StepCounts counts,
                                           Rollback rollback) {
  Remains left{target, counts.prepare, 0, 0, false};
  const unsigned starting = counts.starting;
  const unsigned step = seen.step;
  switch (seen.state) {
  case State::kStarting:
    left.starting = std::min(step + 1, starting); // the step in flight is half done
    break;
  case State::kActivating:
    left.starting = starting;
    left.online = std::min(step + 1, counts.online);
    break;
  case State::kUndoOnline:
    left.starting = starting;
    left.online = rollback.online - std::min(step, rollback.online);
    break;
  case State::kUndoStarting:
    left.starting = rollback.starting - std::min(step, rollback.starting);
    break;
  case State::kSyncing:
  case State::kOnlining:
  case State::kIdling:
    left.starting = starting;
    break;
  default: // the AP has run no step, or has undone them all
    break;
  }
  return left;
}

/// Undoes in reverse, and stops at the first step that the CP may not undo for the AP, and
/// before PREPARE unless that is this CP's to undo. True when nothing is left. By the CP, with
/// proof (or for an attempt never claimed).
template <CpEnvironment E> [[nodiscard]] bool undo(E &env, Remains &left, bool prepare_too) {
  const auto undo_section = [&](Section section, unsigned &count, bool own) {
    while (count > 0) {
      const unsigned i = count - 1;
      if (!own && !StepInfo(env.step_info(section, i)).remote_teardown)
        return false;
      const unsigned cpu = left.target.cpu;
      const std::uint32_t attempt = left.target.attempt;
      env.log(abi::EventKind::kUndoEnter, cpu, attempt, i, static_cast<std::uint64_t>(section));
      env.undo_step(section, i, left.target);
      env.log(abi::EventKind::kUndoDone, cpu, attempt, i, static_cast<std::uint64_t>(section));
      --count;
    }
    return true;
  };
  return undo_section(Section::kOnline, left.online, false) &&
         undo_section(Section::kStarting, left.starting, false) && (prepare_too || left.prepare == 0) &&
         undo_section(Section::kPrepare, left.prepare, true); // PREPARE is the CP's own
}

} // namespace reveille::core
