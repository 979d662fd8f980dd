// What an AP still owes at the places where the host can ask to be called.
#pragma once

#include "core/abi/place.hpp"
#include "core/protocol/points.hpp"

#include <algorithm>
#include <array>

namespace reveille::protocol {

/// The point that an AP owes when it is at a place. Each has two, before and behind it; after the last
/// one, and on the way down, still active is named.
[[nodiscard]] inline Point owed_behind(abi::Place place) {
  static constexpr auto kOwed = [] {
    std::array<Point, abi::kPlaceCount> owed{};
    for (unsigned i = 0; i < owed.size(); ++i)
      owed[i] = static_cast<Point>(std::min((i + 1) / 2, kPointCount - 1));
    return owed;
  }();
  return kOwed[static_cast<unsigned>(place)];
}

} // namespace reveille::protocol
