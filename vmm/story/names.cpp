#include "core/protocol/guest_steps.hpp"
#include "vmm/story/tracks.hpp"

#include <fmt/format.h>

#include <array>

namespace reveille::vmm {

std::string_view name(SliceKind kind) {
  constexpr std::array<std::string_view, kSliceKinds> kNames = {
      "attempt", "turn", "trampoline", "entry",   "wait",     "step", "undo",    "up",
      "down",    "late", "cycle",      "prepare", "clear-up", "kick", "release", "give-up"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view name(SliceEnd end) {
  constexpr std::array<std::string_view, 4> kNames = {"done", "failed", "given-up", "open"};
  return kNames.at(static_cast<std::size_t>(end));
}

std::string_view name(ArrowKind kind) {
  return kind == ArrowKind::kKick ? "kick to alive" : "release to resume";
}

Slice step_of(const StepNames &names, const abi::Event &event) {
  constexpr std::uint64_t kLast = static_cast<std::uint64_t>(protocol::Section::kOnline);
  const std::uint64_t section = event.b & 0xff;
  Slice slice;
  slice.kind = event.kind == abi::EventKind::kUndoEnter ? SliceKind::kUndoStep : SliceKind::kStep;
  slice.section = section <= kLast ? static_cast<protocol::Section>(section) : protocol::Section::kNone;
  slice.step = static_cast<unsigned>(event.a);
  slice.name = step_name(names, section, event.a);
  slice.about = event.cpu;
  slice.attempt = event.attempt;
  return slice;
}

std::string_view waiting_at(protocol::State arrived) {
  for (const protocol::PointRow &point : protocol::kPoints)
    if (point.arrived == arrived)
      return point.name;
  return arrived == protocol::State::kDying ? "dying" : "a failed step";
}

std::string_view moment(abi::EventKind kind) {
  using abi::EventKind;
  switch (kind) {
  case EventKind::kZero:
    return "time zero";
  case EventKind::kKick:
    return "kick";
  case EventKind::kClaimFailed:
    return "claim failed";
  case EventKind::kTimeout:
    return "timeout";
  case EventKind::kStop:
    return "stop INIT";
  case EventKind::kProven:
    return "proven over";
  case EventKind::kQuarantined:
    return "quarantined";
  case EventKind::kOnline:
    return "decided: active";
  case EventKind::kFailed:
    return "decided: failed";
  case EventKind::kDecided:
    return "all decided";
  case EventKind::kTscServed:
    return "TSC served";
  case EventKind::kCorrupt:
    return "corrupt word";
  case EventKind::kPanic:
    return "panic";
  case EventKind::kTakeDown:
    return "take down";
  case EventKind::kOffline:
    return "decided: down";
  case EventKind::kDelegated:
    return "delegated";
  case EventKind::kReturned:
    return "returned";
  case EventKind::kFenced:
    return "fenced";
  case EventKind::kAdopted:
    return "adopted";
  default:
    return {};
  }
}

} // namespace reveille::vmm
