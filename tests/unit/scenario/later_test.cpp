// What a later capability brings is refused by name, and not taken for a mistake.
#include "mistakes.hpp"

#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/places.hpp"

namespace reveille::vmm {
namespace {

std::string fault_with(const std::string &at, const std::string &action, const std::string &more = "") {
  return kEight + "[[fault]]\ncpu = 1\nat = \"" + at + "\"\naction = \"" + action + "\"\n" + more;
}

TEST(scenario, later_values_are_not_supported_yet) {
  expect_messages({
      {kEight + "[guest]\nx = 1", "3:2: guest: not supported yet"},
      {fault_with("alive", "stall", "probability = 0.5"),
       "7:15: fault.0.probability: 0.5 is not supported yet; so far it is always 1"},
      {fault_with("alive", "stall", "percent = 5"), "7:1: fault.0.percent: not supported yet"},
      {kEight + "[[fault]]\ncpu = \"random:2\"\nat = \"alive\"\naction = \"stall\"",
       R"(4:7: fault.0.cpu: "random:2" is not supported yet)"},
  });
}

TEST(scenario, defaults_of_later_keys_are_accepted) {
  expect_accepted({
      kEight + "apic = \"kernel\"",
      fault_with("alive", "stall", "probability = 1.0\ncount = 3"),
      fault_with("alive", "stall", "probability = 1"),
  });
}

TEST(scenario, later_places_are_not_supported_yet) {
  for (const char *place : {"init", "sipi", "sipi2", "stop", "symbol:main", "symbol:main+0x10", "addr:0x8000",
                            "exit:3", "firmware"})
    EXPECT_EQ(message_of(fault_with(place, "stall")),
              std::string("x.toml:5:6: fault.0.at: \"") + place + "\" is not supported yet");
}

TEST(scenario, later_actions_are_not_supported_yet) {
  int later = 0;
  for (const ActionRow &row : all_actions()) {
    if (row.action)
      continue;
    ++later;
    EXPECT_EQ(message_of(fault_with("alive", std::string(row.name))),
              "x.toml:6:10: fault.0.action: \"" + std::string(row.name) + "\" is not supported yet");
  }
  EXPECT_EQ(later, 21);
}

} // namespace
} // namespace reveille::vmm
