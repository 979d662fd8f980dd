#include "vmm/analysis/chain.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

std::string point_text(const ChainLink &link) {
  return link.point ? std::string(protocol::name(*link.point)) : std::string("its next point");
}

std::string with_text(const ChainLink &link) { return fmt::format("CPU {}", link.with); }

/// The steps of a section, and the one of them that took more than half of it.
std::string steps_text(const ChainLink &link, const StepNames &steps, protocol::Section section,
                       std::string_view which) {
  std::string text = fmt::format("ran {}", which);
  if (link.step && link.step_us > link.us() / 2)
    text += fmt::format(", {} above all", step_name(steps, static_cast<std::uint64_t>(section), *link.step));
  return text;
}

} // namespace

std::string link_text(const ChainLink &link, const StepNames &steps) {
  switch (link.kind) {
  case LinkKind::kEarlier:
    return "earlier cycles, whose events are not kept";
  case LinkKind::kPrepare:
    return "ran the PREPARE steps of " + with_text(link);
  case LinkKind::kKick:
    return "kicked " + with_text(link);
  case LinkKind::kAlive:
    return "came from its kick to alive";
  case LinkKind::kStarting:
    return steps_text(link, steps, protocol::Section::kStarting, "its STARTING steps");
  case LinkKind::kTsc:
    return "met its control CPU for the TSC";
  case LinkKind::kOnline:
    return "went online";
  case LinkKind::kIdle:
    return "went to its idle loop";
  case LinkKind::kActive:
    return steps_text(link, steps, protocol::Section::kOnline, "its ONLINE steps");
  case LinkKind::kRelease:
    if (link.point == protocol::Point::kActive)
      return "was active, and waited for that to be seen";
    return "waited for its release at " + point_text(link);
  case LinkKind::kResume:
    return link.point ? "saw its release at " + point_text(link) : std::string("saw that it was to undo");
  case LinkKind::kControl:
    return link.with == link.cpu ? std::string("ran") : "was busy with " + with_text(link);
  case LinkKind::kDelegate:
    return "was left " + with_text(link) + ", and took it up";
  case LinkKind::kReturn:
    return "had given " + with_text(link) + " back, and waited for that to be seen";
  case LinkKind::kLease:
    return "did not renew its lease on " + with_text(link);
  case LinkKind::kTimeout:
    return fmt::format("did not {} in its time{}", link.point ? "reach " + point_text(link) : "go down",
                       link.fault ? fmt::format(", held by fault {}", *link.fault) : std::string());
  case LinkKind::kUndo:
    return link.with == link.cpu ? std::string("undid its steps") : "undid steps of " + with_text(link);
  case LinkKind::kHeld:
    return link.fault ? fmt::format("was held by fault {}", *link.fault) : std::string("was held by a fault");
  case LinkKind::kUnknown:
    return "the events do not tell";
  }
  return "the events do not tell";
}

} // namespace reveille::vmm
