// What faults at "firmware" may not say.
#include "mistakes.hpp"

namespace reveille::vmm {
namespace {

std::string firmware(const std::string &cpu, const std::string &action, const std::string &more = "") {
  return "[[fault]]\ncpu = " + cpu + "\nat = \"firmware\"\naction = \"" + action + "\"\n" + more;
}

std::string at(const std::string &place, const std::string &more = "action = \"stall\"\n") {
  return "[[fault]]\ncpu = 2\nat = \"" + place + "\"\n" + more;
}

const std::string kTo5 = "to = 5\n";

TEST(scenario, firmware_says_one_thing_of_a_cpu) {
  const auto clash = [](const std::string &action, const std::string &other, const std::string &cpu) {
    return "fault.1.action: \"" + action + "\" does not go together with the \"" + other +
           "\" of fault 0 on CPU " + cpu;
  };
  expect_messages({
      {kEight + firmware("2", "ghost") + firmware("[1, 2]", "unlisted"),
       "10:10: " + clash("unlisted", "ghost", "2")},
      {kEight + firmware("2", "ghost") + firmware("2", "ghost"), "10:10: " + clash("ghost", "ghost", "2")},
      {kEight + firmware("5", "disabled") + firmware("2", "same-id", kTo5),
       "10:10: " + clash("same-id", "disabled", "5")},
      {kEight + firmware("2", "same-id", kTo5) + firmware("5", "ghost"),
       "11:10: " + clash("ghost", "same-id", "5")},
      {kEight + firmware("2", "swap-id", kTo5) + firmware("5", "same-id", "to = 1\n"),
       "11:10: " + clash("same-id", "swap-id", "5")},
      {kEight + firmware("2", "disabled") + firmware("2", "swap-id", kTo5),
       "10:10: " + clash("swap-id", "disabled", "2")},
      {kEight + firmware("2", "skew", "skew_us = 5\n") + firmware("2", "ghost"),
       "11:10: " + clash("ghost", "skew", "2")},
  });
  expect_accepted({
      kEight + firmware("2", "disabled") + firmware("2", "same-id", kTo5),
      kEight + firmware("2", "same-id", kTo5) + firmware("3", "same-id", kTo5),
      kEight + firmware("2", "skew", "skew_us = -5\n") + firmware("2", "swap-id", kTo5),
      kEight + firmware("5", "skew", "skew_us = 5\n") + firmware("2", "same-id", kTo5),
      kEight + firmware("1", "ghost") + firmware("2", "unlisted") + firmware("3", "disabled"),
  });
}

TEST(scenario, firmware_comes_once_and_lends_the_ids_of_those_that_are_brought_up) {
  expect_messages({
      {kEight + firmware("2", "ghost", "count = 2"),
       "7:9: fault.0.count: \"firmware\" comes once: a count over 1 can never be reached"},
      {kEight + "[bringup]\nmax_cpus = 4\n" + firmware("2", "same-id", kTo5),
       "9:6: fault.0.to: CPU 5 is not brought up (max_cpus = 4)"},
      {kEight + firmware("[1, 2]", "swap-id", kTo5),
       "4:7: fault.0.cpu: \"swap-id\" takes one CPU, which changes places with one other"},
  });
}

TEST(scenario, what_never_starts_passes_no_place) {
  const auto hidden = [](const std::string &action) {
    return "fault.1.at: can never fire on CPU 2: fault 0, " + action + ", keeps it from being started";
  };
  expect_messages({
      {kEight + firmware("2", "ghost") + at("alive"), "9:6: " + hidden("ghost")},
      {kEight + firmware("2", "ghost") + at("time:5"), "9:6: " + hidden("ghost")},
      {kEight + firmware("2", "unlisted") + at("kick", "action = \"delay\"\nduration_ms = 5\n"),
       "9:6: " + hidden("unlisted")},
      {kEight + firmware("2", "same-id", kTo5) + at("idle"), "10:6: " + hidden("same-id")},
  });
  expect_accepted({
      kEight + firmware("2", "ghost") + at("kick", "action = \"delay\"\nduration_ms = 5\n"),
      kEight + firmware("2", "disabled") + at("time:5"),
      kEight + firmware("2", "swap-id", kTo5) + at("idle"),
      kEight + firmware("2", "ghost", "probability = 0.5\n") + at("alive"),
  });
}

} // namespace
} // namespace reveille::vmm
