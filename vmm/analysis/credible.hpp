// Which times can be times: the guest's clock is the guest's.
#pragma once

#include <cmath>

namespace reveille::vmm {

/// Whether a time in microseconds can be one: finite, not before time zero, and not for ages.
[[nodiscard]] inline bool is_credible(double us) { return std::isfinite(us) && us >= 0 && us < 1e12; }

} // namespace reveille::vmm
