// When each CPU reached each point: a lane each for a few, groups of the same for many.
#pragma once

#include "vmm/judge/verdict.hpp"
#include "vmm/report/style.hpp"

#include <string>

namespace reveille::vmm {

/// So many CPUs get a lane each.
inline constexpr std::size_t kMaxLanes = 16;

/// A lane for each CPU, with its times, and its bar where there is room beside them.
[[nodiscard]] std::string lanes_text(const Style &style, const Observation &seen, const Verdict &verdict);

/// CPUs that did the same together, with the spread of their times and who stands out.
[[nodiscard]] std::string groups_text(const Style &style, const Verdict &verdict);

/// The one of the two that fits.
[[nodiscard]] std::string timeline_text(const Style &style, const Observation &seen, const Verdict &verdict);

/// How long the CPUs took to each point from the one before, in the same columns: the least, the
/// median, the most, and who that was. `label`: columns in front. Empty of less than two CPUs.
[[nodiscard]] std::string latencies_text(const Style &style, const Verdict &verdict, std::size_t label);

/// "kick   alive ... active", each seven wide with a space in front.
[[nodiscard]] std::string point_headings();

/// A time in a column of that width.
[[nodiscard]] std::string point_cell(std::optional<double> us);

} // namespace reveille::vmm
