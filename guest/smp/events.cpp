#include "guest/smp/events.hpp"

#include <algorithm>

namespace reveille::guest::smp {

bool find_event_room(PerCpu &me, std::uint32_t count) {
  const abi::HostLine &host = me.slot->host;
  // Acquire: pairs with the host's release; what it has taken out may be written over.
  const std::uint32_t unread = count - host.read.load(std::memory_order_acquire);
  if (unread >= host.ring_capacity) {
    std::atomic<std::uint32_t> &lost = me.slot->ring.lost;
    lost.store(lost.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return false;
  }
  const std::uint32_t at = count % host.ring_capacity;
  const std::uint32_t end = count + std::min(host.ring_capacity - unread, host.ring_capacity - at);
  me.event_origin = host.ring + at * sizeof(abi::Event) - count * sizeof(abi::Event);
  me.event_end = end < count ? 0 : end; // about to wrap: looks each time, until it has
  return true;
}

} // namespace reveille::guest::smp
