// The memory that a run needs, found before it begins.
#pragma once

#include "guest/boot/memory_map.hpp"
#include "guest/run/control_side.hpp"

#include <span>

namespace reveille::guest::run {

/// Finds anchors, areas, seats and the trampoline pages for `cpus` CPUs, and, where no host
/// has brought any, slots and rings. Refuses a machine with too little.
[[nodiscard]] std::span<smp::Seat> find_resources(boot::MemoryMap &memory, unsigned cpus,
                                                  const abi::Request &request);

/// Tells the host where what outlives every AP is, by abi::Keep. `cpus` as in find_resources(), which has
/// been called.
void publish_kept(std::span<abi::KeptRange> kept, unsigned cpus);

} // namespace reveille::guest::run
