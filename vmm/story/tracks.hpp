// The two kinds of tracks.
#pragma once

#include "vmm/judge/evidence.hpp"
#include "vmm/story/story.hpp"
#include "vmm/story/times.hpp"

#include <vector>

namespace reveille::vmm {

/// An arrow while only the CPU that it comes from is known, not its track.
struct LooseArrow {
  Arrow arrow; ///< without `from` and `to`
  CpuIndex control;
};

/// What an AP did and had done to it. Its arrows go to `arrows`.
void tell_ap(const Evidence &evidence, const Times &times, Track &track, std::vector<LooseArrow> &arrows);

/// What a CPU did as a control CPU. `cycles`: of the scenario.
void tell_control(const Evidence &evidence, const Times &times, std::uint32_t cycles, Track &track);

/// Whether a CPU has written about others as a control CPU does.
[[nodiscard]] bool is_control(const Observation &seen, CpuIndex cpu);

/// A step that begins, of an event that says so.
[[nodiscard]] Slice step_of(const StepNames &names, const abi::Event &event);

/// Where an AP is that waits in this state: a point's name, "dying" or "a failed step".
[[nodiscard]] std::string_view waiting_at(protocol::State arrived);

/// What a moment is called in a story; empty: it is none of a moment.
[[nodiscard]] std::string_view moment(abi::EventKind kind);

} // namespace reveille::vmm
