#include "vmm/story/story.hpp"

#include "vmm/judge/evidence.hpp"
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/places.hpp"
#include "vmm/story/tracks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace reveille::vmm {
namespace {

constexpr std::size_t kNoTrack = SIZE_MAX;

/// The indices of a CPU's tracks.
struct Roles {
  std::size_t ap = kNoTrack;
  std::size_t control = kNoTrack;
};

class Teller {
public:
  Teller(const Scenario &scenario, const Observation &seen, const Verdict &verdict)
      : scenario_(scenario), seen_(seen), verdict_(verdict), evidence_(seen), times_(seen) {}

  Story tell() && {
    roles_.resize(seen_.cpus.size());
    std::vector<LooseArrow> loose;
    for (CpuIndex cpu = 0; cpu < seen_.cpus.size(); ++cpu) {
      if (cpu != 0)
        tell_ap(evidence_, times_, add(cpu, false), loose);
      if (is_control(seen_, cpu))
        tell_control(evidence_, times_, scenario_.bringup.cycles, add(cpu, true));
      tie(loose, cpu);
    }
    tie_controls();
    story_.end_us = times_.end();
    for (const Firing &firing : seen_.firings)
      strike(firing);
    for (Track &track : story_.tracks) {
      std::ranges::stable_sort(track.instants, {}, &Instant::at_us);
      lay(track.holds);
    }
    return std::move(story_);
  }

private:
  Track &add(CpuIndex cpu, bool control) {
    (control ? roles_[cpu].control : roles_[cpu].ap) = story_.tracks.size();
    Track track;
    track.cpu = cpu;
    track.control = control;
    if (cpu < verdict_.cpus.size()) {
      track.outcome = verdict_.cpus[cpu].outcome;
      track.reason = verdict_.cpus[cpu].reason;
    }
    return story_.tracks.emplace_back(std::move(track));
  }

  /// Ties the arrows of an AP to its track. Their other ends may not be told yet.
  void tie(std::vector<LooseArrow> &loose, CpuIndex cpu) {
    for (LooseArrow &arrow : loose) {
      arrow.arrow.to = roles_[cpu].ap;
      controls_.push_back(arrow.control);
      story_.arrows.push_back(arrow.arrow);
    }
    loose.clear();
  }

  void tie_controls() {
    for (std::size_t i = 0; i < story_.arrows.size(); ++i)
      story_.arrows[i].from = roles_[controls_[i]].control;
    // An AP that claims to have released itself is no control CPU.
    std::erase_if(story_.arrows, [](const Arrow &arrow) { return arrow.from == kNoTrack; });
  }

  void strike(const Firing &firing) {
    if (firing.fault >= scenario_.faults.size() || firing.vcpu >= roles_.size())
      return;
    const FaultSpec &fault = scenario_.faults[firing.fault];
    const Roles &roles = roles_[firing.vcpu];
    const bool as_control =
        roles.ap == kNoTrack || (is_on_control_cpu(fault.at) && roles.control != kNoTrack);
    Track &track = story_.tracks[as_control ? roles.control : roles.ap];
    const double began = times_.of_host(firing.began_us);
    track.instants.push_back({fmt::format("{} at {}", name(fault.action), fault.at.text), began,
                              firing.attempt, nullptr, &firing});
    story_.begin_us = std::min(story_.begin_us, began);
    const bool open = firing.end == HoldEnd::kHolding;
    const double ended = open ? story_.end_us : times_.of_host(firing.ended_us);
    if (ended > began)
      track.holds.push_back({&firing, began, ended, open, 0});
  }

  /// Gives holds that overlap different lanes.
  static void lay(std::vector<Hold> &holds) {
    std::ranges::stable_sort(holds, {}, &Hold::began_us);
    std::vector<double> free; // from when on, by lane
    for (Hold &hold : holds) {
      const auto lane = std::ranges::find_if(free, [&](double us) { return us <= hold.began_us; });
      hold.lane = static_cast<unsigned>(lane - free.begin());
      if (lane == free.end())
        free.push_back(hold.ended_us);
      else
        *lane = hold.ended_us;
    }
  }

  const Scenario &scenario_;
  const Observation &seen_;
  const Verdict &verdict_;
  const Evidence evidence_;
  const Times times_;
  Story story_;
  std::vector<Roles> roles_;       ///< by CPU
  std::vector<CpuIndex> controls_; ///< by arrow, who it comes from
};

} // namespace

Story tell_story(const Scenario &scenario, const Observation &seen, const Verdict &verdict) {
  return Teller(scenario, seen, verdict).tell();
}

} // namespace reveille::vmm
