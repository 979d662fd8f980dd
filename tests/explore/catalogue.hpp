// The faults that there can be, read off the tables of places and actions: a place or an action
// that is added to them is explored from then on.
#pragma once

#include "vmm/scenario/places.hpp"

#include <string>
#include <vector>

namespace reveille::explore {

/// Of each AP turn. Virtual time costs nothing; so all that is not a fault is far below it.
inline constexpr double kTimeoutMs = 100;
/// A hold within one turn. Twice that still is.
inline constexpr double kShortMs = 20;
/// A hold for longer than a turn, and for less than two.
inline constexpr double kLongMs = 150;

/// Of a SIPI from nowhere, and of a wrong one: a page of the trampoline that is not the first attempts'.
inline constexpr std::uint8_t kPage = 0x1d;
/// An interrupt that nobody has asked for.
inline constexpr std::uint8_t kStray = 0x41;
/// Of its time that a throttled CPU has: too little to matter, in machines where nothing takes long.
inline constexpr std::uint32_t kPercent = 50;
/// What bits flip: one that makes the word none that can be, and one that makes it another state, often the
/// next one.
inline constexpr std::uint64_t kBits[] = {1U << 23, 1U << 16};

/// How far a TSC is off.
inline constexpr double kSkewUs = 500;

struct KnownPlace {
  vmm::PlaceKind kind;
  vmm::FaultPlace place;
};

/// Every place that the simulated machine knows, by the forms of vmm::all_places(). Times only where
/// `times_ms` names them. Throws std::logic_error for a form that it does not know.
[[nodiscard]] std::vector<KnownPlace> known_places(const std::vector<double> &times_ms = {});

/// Each action with each duration that the tables allow there: short for what must be bounded,
/// long and endless for what may be endless.
[[nodiscard]] std::vector<vmm::FaultSpec> faults_at(const KnownPlace &place, vmm::CpuIndex cpu);

/// Whether the scenario's own check takes it.
[[nodiscard]] bool is_valid(const vmm::Scenario &scenario);

} // namespace reveille::explore
