// What the run is to be: asked for by a host's control page, or by the command line.
#pragma once

#include "core/abi/control_page.hpp"
#include "guest/boot/command_line.hpp"
#include "guest/boot/memory_map.hpp"

namespace reveille::guest::run {

/// Reads the control page that the command line announces, or makes a request of the command
/// line's own words. Refuses a page that is not one. Sets has_host and control_page.
[[nodiscard]] abi::Request read_request(const boot::CommandLine &words);

/// Takes the control page, the slots and the rings out of the free memory.
void reserve_shared(boot::MemoryMap &memory);

} // namespace reveille::guest::run
