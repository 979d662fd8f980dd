// Tables of mistakes, and what the reader must say of each.
#pragma once

#include "vmm/scenario/load.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace reveille::vmm {

struct Mistake {
  std::string text;
  std::string first_line; ///< of the message, without the file's name
};

/// Everything but the first line is left out.
inline std::string message_of(const std::string &text, const std::vector<std::string> &overrides = {}) {
  const auto scenario = parse_scenario(text, "x.toml", {overrides, {}});
  if (scenario)
    return "accepted";
  EXPECT_EQ(scenario.error().status, ExitStatus::kUsage);
  return scenario.error().message.substr(0, scenario.error().message.find('\n'));
}

inline void expect_messages(std::initializer_list<Mistake> mistakes) {
  for (const Mistake &mistake : mistakes)
    EXPECT_EQ(message_of(mistake.text), "x.toml:" + mistake.first_line) << mistake.text;
}

inline void expect_accepted(std::initializer_list<std::string> texts) {
  for (const std::string &text : texts)
    EXPECT_EQ(message_of(text), "accepted") << text;
}

/// A machine with 8 vCPUs, on the first two lines.
inline const std::string kEight = "[machine]\nvcpus = 8\n";

} // namespace reveille::vmm
