// Reads a binary file whole.
#pragma once

#include "vmm/base/error.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace reveille::vmm {

/// The bytes of the regular file `path`, at most 256 MiB. Fails with kUsage.
[[nodiscard]] Result<std::vector<std::byte>> read_image(const std::string &path);

} // namespace reveille::vmm
