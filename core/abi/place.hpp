// The places where the host can ask to be called, numbered for the armed masks and the
// doorbell. A point has two: before the AP hands over, and after the CP has let it go on.
#pragma once

#include <cstdint>

namespace reveille::abi {

/// A bit number in HostLine::armed. Twice the point's number, plus one when released.
enum class Place : std::uint8_t {
  kAlive = 0,
  kAliveReleased,
  kStarted,
  kStartedReleased,
  kSynced,
  kSyncedReleased,
  kOnline,
  kOnlineReleased,
  kIdle,
  kIdleReleased,
  kActive,
  kActiveReleased,
  kKick,      ///< on the CP, about to kick the CPU whose slot it is
  kZero,      ///< on the CP: the control side enters bring-up
  kDying,     ///< before the AP hands over at dying, on its way down or in a rollback
  kDead,      ///< before it goes to its rest to be dead
  kStop,      ///< on the CP, about to stop the CPU whose slot it is, which it has given up
  kFirstStep, ///< from here on two to a step: before its startup, and after
};
/// The steps that have places; those that are registered behind them have none.
inline constexpr unsigned kStepPlaces = 16;
inline constexpr unsigned kPlaceCount = static_cast<unsigned>(Place::kFirstStep) + 2 * kStepPlaces;
static_assert(kPlaceCount <= 64, "a place is a bit of HostLine::armed");

/// The place before (or after) the startup of the step that was registered as number `step`,
/// from 0, of all sections; must be below kStepPlaces.
[[nodiscard]] constexpr Place step_place(unsigned step, bool done) {
  return static_cast<Place>(static_cast<unsigned>(Place::kFirstStep) + 2 * step + (done ? 1 : 0));
}

/// The doorbell: one 32-bit port write. Bits 31:24 Ring, 23:16 Place, 15:0 CPU.
inline constexpr std::uint16_t kDoorbellPort = 0x5e0;

enum class Ring : std::uint8_t {
  kPlace = 1,   ///< an armed place was reached, for the CPU that is named
  kDecided = 2, ///< every requested CPU is decided
  kPanic = 3,   ///< the writing CPU cannot go on; its ring's last event says why
  kRefused = 4, ///< the guest cannot use this machine or control page; GuestReport::refusal says why
  kCycle = 5,   ///< another cycle begins: all requested CPUs are down or have failed
};

[[nodiscard]] constexpr std::uint32_t doorbell(Ring ring, Place place, std::uint16_t cpu) {
  return (std::uint32_t{static_cast<std::uint8_t>(ring)} << 24) |
         (std::uint32_t{static_cast<std::uint8_t>(place)} << 16) | cpu;
}

} // namespace reveille::abi
