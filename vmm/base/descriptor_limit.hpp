// How many file descriptors this process may have.
#pragma once

#include <cstdint>

namespace reveille::vmm {

/// Sees to it that the process may have `wanted` descriptors, as far as its hard limit lets it, and returns
/// how many it may have then. Source: getrlimit(2), RLIMIT_NOFILE.
[[nodiscard]] std::uint64_t allow_descriptors(std::uint64_t wanted);

} // namespace reveille::vmm
