// The trampoline pages: where APs start. Written once, before the first kick; never freed,
// never written again.
#pragma once

#include "core/abi/control_page.hpp"
#include "guest/boot/memory_map.hpp"
#include "guest/boot/page_tables.hpp"

#include <cstdint>

namespace reveille::guest::smp {

/// Address of the first of abi::kPages pages, below 640 KiB. Written by place_trampolines() alone.
extern std::uint32_t trampolines;

/// Finds room for the pages and fills them. False when there is none.
[[nodiscard]] bool place_trampolines(boot::MemoryMap &memory);

/// The vector of the SIPI that starts an AP on this attempt's page.
[[nodiscard]] inline std::uint8_t start_up_vector(std::uint32_t attempt) {
  return static_cast<std::uint8_t>(trampolines / boot::kPageSize + attempt % abi::kPages);
}

} // namespace reveille::guest::smp
