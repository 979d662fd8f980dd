#include "tests/explore/way.hpp"

#include "core/protocol/guest_steps.hpp"

namespace reveille::explore {

using protocol::PointRow;
using protocol::Section;

namespace {

void add_steps(Section section, std::string_view owed, std::vector<Station> &way) {
  for (const protocol::StepSpec &step : protocol::kGuestSteps) {
    if (step.section != section)
      continue;
    const bool by_control = section == Section::kPrepare;
    Station before{"step:" + std::string(step.name), by_control, std::string(owed), false, false, section};
    Station after = before;
    after.name += ".done";
    after.looks = true; // the word counts completed steps
    way.push_back(std::move(before));
    way.push_back(std::move(after));
  }
}

std::vector<Station> make_way_up() {
  std::vector<Station> way;
  add_steps(Section::kPrepare, "", way);
  way.push_back({.name = "kick", .by_control = true});
  std::string released;
  for (const PointRow &point : protocol::kPoints) {
    const std::string owed(point.name);
    if (!released.empty())
      way.push_back({.name = released, .owed = owed});
    if (point.section != Section::kNone)
      add_steps(point.section, owed, way);
    way.push_back({.name = owed, .owed = owed, .arrives = true, .looks = true});
    released = owed + ".released";
  }
  return way;
}

} // namespace

const std::vector<Station> &way_up() {
  static const std::vector<Station> kWay = make_way_up();
  return kWay;
}

const Station &up_station() {
  static const std::string kActive(protocol::name(protocol::Point::kActive));
  static const Station kUp{.name = kActive + ".released", .owed = kActive, .looks = true};
  return kUp;
}

const std::vector<Station> &way_down() {
  static const std::vector<Station> kWay = {
      {.name = "dying", .owed = "dying", .arrives = true, .looks = true},
      {.name = "dead", .owed = "dead", .arrives = true, .looks = true},
  };
  return kWay;
}

} // namespace reveille::explore
