// Steps: what is done, and undone, on the way up. Points are fixed, steps are not.
#pragma once

#include "core/protocol/points.hpp"

#include <cstdint>
#include <string_view>

namespace reveille::core {

using protocol::Section;

/// What a step works on: one attempt of one CPU.
struct StepTarget {
  unsigned cpu = 0;
  std::uint32_t attempt = 0;
  std::uint32_t token = 0; ///< the environment's: which per-CPU area the attempt has
};

struct StepInfo {
  std::string_view name;
  /// Whether the CP may run the teardown on the CPU's behalf, with proof that the attempt is over.
  bool remote_teardown = false;
};

} // namespace reveille::core
