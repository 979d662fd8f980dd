// What each strategy allows: the four are sets of limits on the driver's one loop.
#pragma once

#include "core/abi/control_page.hpp"

#include <limits>

namespace reveille::core {

struct Policy {
  unsigned in_flight; ///< APs between their kick and their decision
  unsigned finishing; ///< APs between their release from alive and their decision
  bool kick_first;    ///< nobody is released from alive while somebody can still be kicked
  bool delegates;     ///< CPUs that are up bring others up

  static constexpr unsigned kAll = std::numeric_limits<unsigned>::max();

  static constexpr Policy of(abi::Strategy strategy, unsigned window) {
    const unsigned in_flight = window == 0 ? kAll : window;
    switch (strategy) {
    case abi::Strategy::kSerial:
      return {1, 1, false, false};
    case abi::Strategy::kSplit:
      return {in_flight, 1, true, false};
    case abi::Strategy::kTree:
      return {in_flight, kAll, false, true};
    case abi::Strategy::kParallel:
      break;
    }
    return {in_flight, kAll, false, false};
  }
};

} // namespace reveille::core
