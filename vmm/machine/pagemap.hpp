// Which pages of this process's memory there are.
#pragma once

#include "vmm/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace reveille::vmm {

/// Whether an entry of /proc/self/pagemap is of a page that somebody has touched: it is in memory (bit 63) or
/// in swap (bit 62). Source: Linux, Documentation/admin-guide/mm/pagemap.rst.
[[nodiscard]] constexpr bool is_touched(std::uint64_t entry) { return (entry >> 62) != 0; }

/// By page of `memory`, which begins at a page: whether it is_touched(). Asking touches none. (mincore() says
/// of a page in swap what it says of one that there is none of.) Fails with kBroken without /proc.
[[nodiscard]] Result<std::vector<bool>> touched_pages(std::span<const std::byte> memory);

} // namespace reveille::vmm
