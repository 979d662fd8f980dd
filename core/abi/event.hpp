// What the guest tells the host: one fixed record per event, in a ring per CPU.
#pragma once

#include "core/abi/word.hpp"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace reveille::abi {

enum class EventKind : std::uint8_t {
  kNone = 0,
  kZero,        ///< time zero: the control side enters bring-up
  kKick,        ///< the CP sends INIT, SIPI, SIPI to `cpu`; a = attempt within the cycle, b = its area
  kMoved,       ///< the writer swapped the word of `cpu`; a = word before, b = word after
  kResumed,     ///< the AP has seen its release; a = the word that it saw
  kStepEnter,   ///< a step's startup begins; a = step's index in its section, b = section
  kStepDone,    ///< a step's startup ended; a = index, b = section | error << 32
  kUndoEnter,   ///< a step's teardown begins; a, b as kStepEnter
  kUndoDone,    ///< a step's teardown ended; a, b as kStepEnter
  kClaimFailed, ///< the AP may not claim; a = the word. No guest of ours writes it: such an AP owns no ring
  kTimeout,     ///< the CP found a turn's time up; a = the word that it gave up on
  kStop,        ///< the CP sent the INIT of giving up
  kProven,      ///< the CP holds proof that the attempt is over; a = the word that proves it
  kQuarantined, ///< the attempt's resources stay as they are for now; a = word at abandonment
  kOnline,      ///< decided: `cpu` is active
  kFailed,      ///< decided: `cpu` failed all its attempts; a = last word, b = failed(...)
  kDecided,     ///< every requested CPU is decided
  kTscServed,   ///< TSC rendezvous over; a = skew in ticks (signed, AP - CP), b = resolution in ticks (0:
                ///< unknown)
  kCorrupt,     ///< the CP found a word that its own table does not allow; a = seen, b = expected
  kPanic,       ///< unexpected exception or broken invariant; a = RIP, b = vector | point << 8 | error << 32
  kCycle,       ///< the control side begins to bring up once more; a = cycle, from 1
  kTakeDown,    ///< the CP takes an active `cpu` down; a = its word
  kOffline,     ///< decided: `cpu` is down again, and nothing of its attempt is left; a = its word
  kDelegated,   ///< CPU 0 leaves `cpu` to another control CPU; a = that CPU
  kReturned,    ///< and takes it back; a = that CPU
  kFenced,      ///< a control CPU has not renewed its lease, CPU 0 shuts it out; a = that CPU
  kAdopted,     ///< a control CPU that was shut out has let go of `cpu`; a = that CPU
  kFound,       ///< the AP has claimed, and found: a = its area, b = found(...)
  kCount
};

/// kFound's b: the attempt within the cycle in 31:0, the cycle in 63:32.
[[nodiscard]] constexpr std::uint64_t found(std::uint32_t ordinal, std::uint32_t cycle) {
  return ordinal | (std::uint64_t{cycle} << 32);
}

/// Why the core gave a CPU up (EventKind::kFailed).
enum class FailReason : std::uint32_t {
  kTimeout = 1, ///< a turn's time was up
  kError,       ///< a step failed
  kCorrupt,     ///< the word is not one that can be there
  kNoAttempt,   ///< no trampoline page is free to carry another attempt
  kLost,        ///< its control CPU has stopped, and has not let go of it
};

/// kFailed's b: FailReason in 7:0; of an error also the section in 15:8, the step's index
/// in 31:16 and the error in 63:32.
[[nodiscard]] constexpr std::uint64_t failed(FailReason reason, unsigned section, unsigned step, int error) {
  return static_cast<std::uint64_t>(reason) | (std::uint64_t{section & 0xff} << 8) |
         (std::uint64_t{step & 0xffff} << 16) | (std::uint64_t{static_cast<std::uint32_t>(error)} << 32);
}

/// kFailed's b, taken apart.
struct Failure {
  FailReason reason; ///< of a guest that is not ours, any number
  unsigned section;
  unsigned step;
  int error;
};
[[nodiscard]] constexpr Failure failure_of(std::uint64_t b) {
  return {static_cast<FailReason>(b & 0xff), static_cast<unsigned>((b >> 8) & 0xff),
          static_cast<unsigned>((b >> 16) & 0xffff), static_cast<int>(static_cast<std::uint32_t>(b >> 32))};
}
static_assert(failed(failure_of(0xfffffff5'1234'56'02).reason, 0x56, 0x1234, -11) == 0xfffffff5'1234'56'02);
static_assert(failure_of(failed(FailReason::kError, 2, 1, -11)).section == 2);
static_assert(failure_of(failed(FailReason::kError, 2, 1, -11)).step == 1);
static_assert(failure_of(failed(FailReason::kError, 2, 1, -11)).error == -11);

/// kStepDone's b: the section in 7:0, the error in 63:32.
[[nodiscard]] constexpr std::uint64_t step_result(unsigned section, int error) {
  return (section & 0xff) | (std::uint64_t{static_cast<std::uint32_t>(error)} << 32);
}

/// One record. Written by the CPU whose ring it is in and by nobody else; published by
/// the ring's count.
struct Event {
  std::uint64_t tsc;     ///< the writer's time stamp counter, ticks
  std::uint32_t attempt; ///< of `cpu`, 0: does not apply
  std::uint32_t cpu;     ///< the CPU that the event is about
  std::uint64_t a;
  std::uint64_t b;
  EventKind kind;
  std::uint8_t flags; ///< kFlag...
  std::uint16_t reserved[3];
};

/// What nobody writes, of no kind and about no CPU: what a fault puts into a ring.
inline constexpr Event kGarbageEvent = {.tsc = ~0ull,
                                        .attempt = ~0u,
                                        .cpu = ~0u,
                                        .a = ~0ull,
                                        .b = ~0ull,
                                        .kind = static_cast<EventKind>(0xff),
                                        .flags = 0xff,
                                        .reserved = {0xffff, 0xffff, 0xffff}};

inline constexpr std::uint8_t kFlagInterruptsOn = 1; ///< EFLAGS.IF at the event

static_assert(std::is_standard_layout_v<Event> && std::is_trivially_copyable_v<Event>);
static_assert(sizeof(Event) == 40);
static_assert(offsetof(Event, attempt) == 8 && offsetof(Event, cpu) == 12);
static_assert(offsetof(Event, a) == 16 && offsetof(Event, b) == 24);
static_assert(offsetof(Event, kind) == 32 && offsetof(Event, flags) == 33);

} // namespace reveille::abi
