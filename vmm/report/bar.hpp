// One CPU's way up as a line of characters.
#pragma once

#include "vmm/judge/verdict.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reveille::vmm {

/// What the characters of a bar mean, a line; and those of a CPU that was given up, another one.
inline constexpr std::string_view kBarLegend =
    "      k kicked  s starting  y syncing  o onlining  i idling  a activating  = active  . waits\n";
inline constexpr std::string_view kGaveUpLegend = "      x given up  > given up later than shown\n";

/// The microseconds from `begin_us` to `end_us` in `width` columns. A column shows the last stretch
/// that began in it; what began before shows in the first. `gave_up`: when the CPU was decided, if
/// it failed.
[[nodiscard]] std::string bar(const PointTimes &times, std::optional<double> gave_up, double begin_us,
                              double end_us, int width);

} // namespace reveille::vmm
