// An examination as JSON, schema 1: docs/doctor.md.
#pragma once

#include "vmm/doctor/examine.hpp"

#include <string>

namespace reveille::vmm {

/// With a final newline.
[[nodiscard]] std::string examination_json(const Examination &examination);

} // namespace reveille::vmm
