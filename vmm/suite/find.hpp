// From files and folders to the list of scenarios.
#pragma once

#include "vmm/base/error.hpp"

#include <string>
#include <vector>

namespace reveille::vmm {

/// The scenario files that `paths` name, in the order of their names, whatever the order of
/// `paths`: a file as it is, a folder with every *.toml in it and below. What begins with a
/// dot is left out there, and links to folders are not followed. A file that is named in
/// several ways is there once, under the first of its names. Fails, with status kUsage, on a
/// path that is not there, a folder that cannot be read, and one without scenarios.
[[nodiscard]] Result<std::vector<std::string>> find_scenarios(const std::vector<std::string> &paths);

} // namespace reveille::vmm
