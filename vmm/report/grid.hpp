// All CPUs at a glance, a cell for each, while a run goes on.
#pragma once

#include "vmm/report/progress.hpp"
#include "vmm/report/style.hpp"

#include <string>
#include <vector>

namespace reveille::vmm {

/// The counts of progress_line(), and below them the cells, and below those what their letters mean: at
/// most `lines` lines of at most style.width columns. Where there is no room for all of it, it goes
/// without the legend; then without the rows of CPUs that are all active; then without cells.
[[nodiscard]] std::vector<std::string> grid_lines(const Style &style, const ProgressView &view, int lines);

} // namespace reveille::vmm
