#include "guest/run/resources.hpp"

#include "core/abi/rings.hpp"
#include "guest/boot/page_tables.hpp"
#include "guest/run/output.hpp"
#include "guest/smp/anchor.hpp"
#include "guest/smp/cpus.hpp"
#include "guest/smp/trampoline.hpp"

#include <algorithm>
#include <cstring>
#include <new>

extern "C" const char image_start[];
extern "C" const char text_end[];

namespace reveille::guest::run {

namespace {

template <class T> T *find_room(boot::MemoryMap &memory, std::uint64_t count) {
  const std::uint64_t at = memory.allocate(count * sizeof(T), std::max<std::uint64_t>(alignof(T), 64));
  if (at == 0)
    refuse(abi::Refusal::kNoMemory);
  return reinterpret_cast<T *>(at);
}

/// Slots and rings of a run that no host watches.
abi::CpuSlot *make_slots(boot::MemoryMap &memory, unsigned cpus, const abi::Request &request) {
  auto *slots = find_room<abi::CpuSlot>(memory, cpus);
  std::memset(static_cast<void *>(slots), 0, cpus * sizeof(abi::CpuSlot));
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    const std::uint32_t capacity = cpu == 0 ? abi::control_ring_events(cpus, request.attempts)
                                            : abi::ap_ring_events(request.strategy, request.attempts);
    slots[cpu].host.ring_capacity = capacity;
    slots[cpu].host.ring = reinterpret_cast<std::uint64_t>(find_room<abi::Event>(memory, capacity));
  }
  return slots;
}

/// One area for each attempt that may have to be kept; with less memory, one for each AP.
void find_areas(boot::MemoryMap &memory, unsigned aps, std::uint32_t attempts) {
  std::uint64_t count = std::uint64_t{aps} * std::min<std::uint32_t>(attempts, abi::kPages);
  while (count >= aps && count > 0) {
    const std::uint64_t at = memory.allocate(count * sizeof(smp::Area), alignof(smp::Area));
    if (at != 0) {
      smp::areas.init(reinterpret_cast<smp::Area *>(at), static_cast<std::uint32_t>(count));
      return;
    }
    count = count == aps ? 0 : std::max<std::uint64_t>(count / 2, aps);
  }
  if (aps != 0)
    refuse(abi::Refusal::kNoMemory);
}

} // namespace

std::span<smp::Seat> find_resources(boot::MemoryMap &memory, unsigned cpus, const abi::Request &request) {
  if (!smp::place_trampolines(memory))
    refuse(abi::Refusal::kNoLowPage);
  smp::slots = control_page != nullptr ? reinterpret_cast<abi::CpuSlot *>(request.slots)
                                       : make_slots(memory, cpus, request);
  if (cpus > 1)
    smp::anchors = find_room<smp::Anchor>(memory, cpus - 1);
  find_areas(memory, cpus - 1, request.attempts);
  auto *seats = find_room<smp::Seat>(memory, cpus);
  for (unsigned cpu = 0; cpu < cpus; ++cpu)
    new (&seats[cpu]) smp::Seat;
  return {seats, cpus};
}

void publish_kept(std::span<abi::KeptRange> kept, unsigned cpus) {
  const auto put = [&](abi::Keep what, std::uint64_t begin, std::uint64_t size) {
    kept[static_cast<std::size_t>(what)] = {begin, size};
  };
  const auto address_of = [](const auto *at) { return reinterpret_cast<std::uint64_t>(at); };
  put(abi::Keep::kTrampolines, smp::trampolines, std::uint64_t{abi::kPages} * boot::kPageSize);
  put(abi::Keep::kIdMap, address_of(smp::id_map), sizeof(smp::id_map));
  put(abi::Keep::kCode, address_of(image_start), address_of(text_end) - address_of(image_start));
  put(abi::Keep::kParkStacks, address_of(smp::anchors), (cpus - 1) * sizeof(smp::Anchor));
}

} // namespace reveille::guest::run
