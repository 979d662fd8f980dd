// What each strategy allows: the four are sets of limits on the driver's one loop.
#pragma once

#include "core/abi/control_page.hpp"

#include <cstdint>
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

/// The APs that CPU 0 brings up itself in tree: one at a time, as every control CPU. But dead APs must not
/// cost one timeout after the other: for each round of them it takes twice as many upon itself.
class Own {
public:
  [[nodiscard]] bool has_room() const { return count_ < limit_; }
  void add() { ++count_; }
  void remove() { --count_; }

  /// An AP has died at `now`; those that do within half a turn are of one round.
  void grow(std::uint64_t now, std::uint64_t turn) {
    if (now - grown_at_ < turn / 2 || limit_ > Policy::kAll / 2)
      return;
    limit_ *= 2;
    grown_at_ = now;
  }

private:
  unsigned count_ = 0;
  unsigned limit_ = 1;
  std::uint64_t grown_at_ = 0;
};

} // namespace reveille::core
