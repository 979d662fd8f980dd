// An examination for people.
#pragma once

#include "vmm/doctor/examine.hpp"
#include "vmm/report/style.hpp"

#include <string>

namespace reveille::vmm {

/// The host, a table of what was probed, found and touched, with how to mend what is not as it should be,
/// and whether `vmm run` works here.
[[nodiscard]] std::string examination_text(const Style &style, const Examination &examination);

} // namespace reveille::vmm
