// The trace: events in the ring of the CPU that writes them, and the doorbell to the host.
#pragma once

#include "core/abi/event.hpp"
#include "core/abi/place.hpp"
#include "guest/smp/anchor.hpp"
#include "guest/x86/cpu.hpp"

namespace reveille::guest::smp {

/// Finds out where event `count` goes, the next, and how many behind it have room. False, and the event is
/// counted as lost, when the ring is full.
[[nodiscard]] bool find_event_room(PerCpu &me, std::uint32_t count);

/// Records an event in this CPU's ring, or counts it as lost when the ring is full. There must be a slot.
inline void record(PerCpu &me, abi::EventKind kind, unsigned cpu, std::uint32_t attempt, std::uint64_t a,
                   std::uint64_t b) {
  abi::RingLine &account = me.slot->ring;
  const std::uint32_t count = account.count.load(std::memory_order_relaxed);
  if (count >= me.event_end && !find_event_room(me, count))
    return;
  abi::Event &event = *reinterpret_cast<abi::Event *>(me.event_origin + count * sizeof(abi::Event));
  event.tsc = x86::rdtsc();
  event.attempt = attempt;
  event.cpu = cpu;
  event.kind = kind;
  event.flags = x86::interrupts_are_on() ? abi::kFlagInterruptsOn : std::uint8_t{0};
  event.a = a;
  event.b = b;
  account.count.store(count + 1, std::memory_order_release); // pairs with the host's acquire
}

inline void ring(abi::Ring what, abi::Place place, unsigned cpu) {
  x86::out32(abi::kDoorbellPort, abi::doorbell(what, place, static_cast<std::uint16_t>(cpu)));
}

/// Calls the host if it has armed this place for `cpu`, and returns whether it has.
inline bool ring_if_armed(abi::Place place, unsigned cpu, const abi::CpuSlot &slot) {
  if (((slot.host.armed.load(std::memory_order_relaxed) >> static_cast<unsigned>(place)) & 1) == 0)
    return false;
  ring(abi::Ring::kPlace, place, cpu);
  return true;
}

} // namespace reveille::guest::smp
