// The steps that the lab's guest registers, in the order of their registration. The guest and
// the simulated machine give them bodies; scenarios name them.
#pragma once

#include "core/abi/place.hpp"
#include "core/protocol/points.hpp"

#include <array>
#include <string_view>

namespace reveille::protocol {

/// What is known of a step wherever it is done.
struct StepSpec {
  Section section;
  std::string_view name; ///< at most 22 characters
  bool concurrent;       ///< may run on several CPUs at once
  bool remote_teardown;  ///< the CP may undo it on the CPU's behalf
  std::string_view about;
};

inline constexpr std::array kGuestSteps = {
    StepSpec{Section::kPrepare, "area", true, true, "the attempt's stack and per-CPU area"},
    StepSpec{Section::kStarting, "cpu-tables", true, true, "the GDT and TSS of its area"},
    StepSpec{Section::kStarting, "lapic", true, true, "whether the LAPIC's ID is right; lets work through"},
    StepSpec{Section::kStarting, "timer", true, true, "the one-shot timer"},
    StepSpec{Section::kStarting, "tsc", true, true, "whether the TSC counts, and never back"},
    StepSpec{Section::kOnline, "worker", true, true, "takes an interrupt with work, and answers"},
};
static_assert(kGuestSteps.size() <= abi::kStepPlaces);

/// What a step of theirs returns that fails: error codes of Linux's.
enum StepError : int { kNoSuchDevice = -6, kNoMemory = -12, kTimedOut = -110 };

[[nodiscard]] constexpr std::string_view name(Section s) {
  constexpr std::array<std::string_view, 4> kNames = {"-", "PREPARE", "STARTING", "ONLINE"};
  return kNames[static_cast<std::size_t>(s)];
}

} // namespace reveille::protocol
