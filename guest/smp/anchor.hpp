// What every CPU has for ever, whatever becomes of its attempts: who it is, tables and stacks
// to come to rest on. Never freed, so that an AP that was given up can always stand on it.
#pragma once

#include "core/abi/control_page.hpp"
#include "core/protocol/points.hpp"
#include "guest/smp/area.hpp"
#include "guest/x86/descriptors.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace reveille::guest::smp {

/// This CPU, as its own code knows it. Written by that CPU alone.
struct PerCpu {
  PerCpu *self; ///< at GS:0
  abi::CpuSlot *slot;
  /// Event n of its ring, for n from the next one to below event_end, is known to have room, at
  /// event_origin + n * sizeof(abi::Event), an address.
  std::uint64_t event_origin;
  std::uint32_t event_end;
  std::uint32_t cpu;
  std::uint32_t token; ///< of the attempt's area; 0: it has left it
  std::uint32_t attempt;
  Area *area;
  /// Set while this CPU may be halted: who wakes it reads it after a full barrier, and need
  /// not interrupt a CPU that is going to look anyway.
  std::atomic<std::uint32_t> halting;
  protocol::Point owed; ///< the point that it is on its way to
  /// When the timer that is set will fire; 0: none is. The timer's handler clears it.
  volatile std::uint64_t timer;
  volatile std::uint64_t stray; ///< interrupts that nobody here has asked for
};

struct alignas(4096) Anchor {
  static constexpr std::size_t kIstStackSize = 640;

  PerCpu per_cpu;
  x86::CpuTables tables;
  alignas(16) std::byte ist_stack[x86::kIstStacks][kIstStackSize];
  /// To come to rest on.
  alignas(16) std::byte stack[1536];
};
static_assert(sizeof(Anchor) == 4096);

/// Where CPU 0's is before memory can be found for the others'.
extern Anchor boot_anchor;
/// All others', from CPU 1 on. Set once, before the first kick.
extern Anchor *anchors;

[[nodiscard]] inline Anchor &anchor(unsigned cpu) { return cpu == 0 ? boot_anchor : anchors[cpu - 1]; }

/// Makes the calling CPU `cpu`, on its anchor's tables: from here on it takes exceptions.
/// Called with interrupts off.
PerCpu &become(unsigned cpu, std::uint32_t attempt, std::uint32_t token);

[[nodiscard]] inline PerCpu &this_cpu() {
  PerCpu *self = nullptr;
  asm volatile("movq %%gs:0, %0" : "=r"(self));
  return *self;
}

/// The tables of its anchor, of its area.
void load_anchor_tables(PerCpu &me);
void load_area_tables(PerCpu &me);

} // namespace reveille::guest::smp
