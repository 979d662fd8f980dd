// The way of a CPU, up and down, as the design tells it: where a fault can find it, what it owes
// there, and where it finds out that it was given up.
#pragma once

#include "core/protocol/points.hpp"

#include <string>
#include <vector>

namespace reveille::explore {

struct Station {
  std::string name;        ///< as a fault's `at`
  bool by_control = false; ///< the control CPU passes it, on the AP's behalf
  std::string owed{};      ///< the place of a failure here; empty: of none
  bool arrives = false;    ///< the AP hands over right behind: its turn is over
  bool looks = false;      ///< the AP swaps its word, or looks at it, right behind
  protocol::Section section = protocol::Section::kNone; ///< of the step that it is about
};

/// From PREPARE to active.
[[nodiscard]] const std::vector<Station> &way_up();
/// Where an AP is when it is up.
[[nodiscard]] const Station &up_station();
/// From an order to go down, or from a failed ONLINE step, to dead; a failed STARTING step goes
/// the last part of it.
[[nodiscard]] const std::vector<Station> &way_down();

} // namespace reveille::explore
