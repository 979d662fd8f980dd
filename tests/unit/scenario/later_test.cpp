// What a later capability brings is refused by name, and not taken for a mistake.
#include "mistakes.hpp"

#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/places.hpp"
#include "vmm/scenario/support.hpp"

namespace reveille::vmm {
namespace {

std::string fault_with(const std::string &at, const std::string &action, const std::string &more = "") {
  return kEight + "[[fault]]\ncpu = 1\nat = \"" + at + "\"\naction = \"" + action + "\"\n" + more;
}

/// A value for each key that the action needs.
std::string keys_for(const ActionRow &action) {
  std::string text;
  for (const auto &[key, value] : {std::pair{"duration_ms", "5"},
                                   {"percent", "5"},
                                   {"vector", "17"},
                                   {"address", "4096"},
                                   {"to", "2"},
                                   {"bits", "1"},
                                   {"skew_us", "5"}})
    if (takes(action, key))
      text += std::string(key) + " = " + value + "\n";
  return text;
}

TEST(scenario, later_values_are_not_supported_yet) {
  expect_messages({
      {kEight + "[guest]\nx = 1", "3:2: guest: not supported yet"},
  });
}

TEST(scenario, defaults_of_later_keys_are_accepted) {
  expect_accepted({
      kEight + "apic = \"kernel\"",
      fault_with("alive", "stall", "probability = 1.0\ncount = 3"),
      fault_with("alive", "stall", "probability = 1"),
  });
}

TEST(scenario, what_nobody_can_do_yet_is_refused_by_name) {
  for (const PlaceRow &place : all_places()) {
    if (place.form.find_first_of("PN") != std::string_view::npos || place.form == "time:MS" ||
        place.kind == PlaceKind::kWayDown)
      continue;
    for (const ActionRow &action : all_actions()) {
      if (fit(place.kind, action.action) == Fit::kNo || !performers(place.kind, action.action).empty())
        continue;
      const std::string at(place.form);
      const std::string message = message_of(fault_with(at, std::string(action.name), keys_for(action)));
      EXPECT_EQ(message, "x.toml:6:10: fault.0.action: \"" + std::string(action.name) + "\" at \"" + at +
                             "\" is not supported yet");
    }
  }
}

} // namespace
} // namespace reveille::vmm
