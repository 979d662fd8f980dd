#include "vmm/story/nest.hpp"
#include "vmm/story/tracks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Word;

bool is_group(const Slice *slice) {
  return slice != nullptr && (slice->kind == SliceKind::kPrepare || slice->kind == SliceKind::kClearUp);
}

class ControlTrack {
public:
  ControlTrack(const Evidence &evidence, const Times &times, std::uint32_t cycles, Track &track)
      : evidence_(evidence), times_(times), cycles_(cycles), track_(track) {}

  void tell() {
    const std::vector<Event> &ring = evidence_.seen().cpus[track_.cpu].events;
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const Event &event = ring[i];
      if (event.cpu >= evidence_.cpus() || (event.cpu == track_.cpu && track_.cpu != 0))
        continue;
      now_ = times_.of(track_.cpu, i);
      take(event);
    }
    end_group();
    track_.slices = std::move(nest_).take(std::max(now_, times_.end()));
  }

private:
  void take(const Event &event) {
    switch (event.kind) {
    case EventKind::kStepEnter:
    case EventKind::kUndoEnter:
      return step_begins(event);
    case EventKind::kStepDone:
    case EventKind::kUndoDone:
      return step_ends(event);
    default:
      break;
    }
    end_group();
    switch (event.kind) {
    case EventKind::kZero:
      instant(event);
      break;
    case EventKind::kCycle:
      nest_.close(0, now_, SliceEnd::kDone);
      open(SliceKind::kCycle, cycles_ == 1 ? "bring-up" : fmt::format("cycle {}", event.a), event);
      break;
    case EventKind::kDecided:
      instant(event);
      nest_.close(0, now_, SliceEnd::kDone);
      break;
    case EventKind::kMoved:
      if (Word::is_valid(event.a) && Word::is_valid(event.b))
        moved(Word::from(event.a), Word::from(event.b), event);
      break;
    case EventKind::kKick:
      end(SliceKind::kKick);
      break;
    default:
      break;
    }
  }

  void moved(Word from, Word to, const Event &event) {
    end(SliceKind::kKick);
    if (to.state == State::kKicked) {
      open(SliceKind::kKick, fmt::format("kick CPU {}", event.cpu), event);
      return;
    }
    if (to.state == State::kAbandoned) {
      open(SliceKind::kGiveUp, fmt::format("give up CPU {}", event.cpu), event);
      return end(SliceKind::kGiveUp);
    }
    if (!protocol::is_ap_owned(to.state))
      return;
    const std::string_view place = waiting_at(from.state);
    open(SliceKind::kRelease, fmt::format("release CPU {} from {}", event.cpu, place), event).place = place;
    end(SliceKind::kRelease);
  }

  void step_begins(const Event &event) {
    const bool undo = event.kind == EventKind::kUndoEnter;
    const SliceKind kind = undo ? SliceKind::kClearUp : SliceKind::kPrepare;
    end(SliceKind::kKick);
    end(SliceKind::kStep);
    end(SliceKind::kUndoStep);
    if (const Slice *group = nest_.top(); !is_group(group) || group->kind != kind ||
                                          group->about != event.cpu || group->attempt != event.attempt) {
      end_group();
      open(kind, fmt::format("{} CPU {}", undo ? "clear up" : "prepare", event.cpu), event);
    }
    nest_.open(step_of(evidence_.seen().steps, event), now_);
    grouped_ = now_;
  }

  void step_ends(const Event &event) {
    Slice *step = nest_.top();
    const bool undo = event.kind == EventKind::kUndoDone;
    if (step == nullptr || step->kind != (undo ? SliceKind::kUndoStep : SliceKind::kStep) ||
        step->about != event.cpu || step->step != event.a)
      return;
    step->error = undo ? 0 : static_cast<int>(static_cast<std::uint32_t>(event.b >> 32));
    nest_.close(nest_.depth() - 1, now_, step->error == 0 ? SliceEnd::kDone : SliceEnd::kFailed);
    grouped_ = now_;
  }

  /// The steps of one AP are over, at the end of the last of them.
  void end_group() {
    end(SliceKind::kStep);
    end(SliceKind::kUndoStep);
    if (is_group(nest_.top()))
      nest_.close(nest_.depth() - 1, std::max(grouped_, nest_.top()->begin_us), SliceEnd::kDone);
  }

  /// Ends the innermost slice if it is of that kind.
  void end(SliceKind kind) {
    const Slice *top = nest_.top();
    if (top == nullptr || top->kind != kind)
      return;
    const bool step = kind == SliceKind::kStep || kind == SliceKind::kUndoStep;
    nest_.close(nest_.depth() - 1, now_, step ? SliceEnd::kOpen : SliceEnd::kDone);
    if (step)
      grouped_ = now_;
  }

  Slice &open(SliceKind kind, std::string name, const Event &event) {
    Slice slice;
    slice.kind = kind;
    slice.name = std::move(name);
    slice.about = event.cpu;
    slice.attempt = event.attempt;
    return nest_.open(std::move(slice), now_);
  }

  void instant(const Event &event) {
    track_.instants.push_back({std::string(moment(event.kind)), now_, event.attempt, &event, nullptr});
  }

  const Evidence &evidence_;
  const Times &times_;
  std::uint32_t cycles_;
  Track &track_;
  Nest nest_;
  double now_ = 0;
  double grouped_ = 0; ///< when the last step of a group was seen
};

} // namespace

void tell_control(const Evidence &evidence, const Times &times, std::uint32_t cycles, Track &track) {
  ControlTrack(evidence, times, cycles, track).tell();
}

bool is_control(const Observation &seen, CpuIndex cpu) {
  return cpu == 0 || std::ranges::any_of(seen.cpus[cpu].events, [&](const Event &event) {
           return event.cpu != cpu && event.cpu < seen.cpus.size();
         });
}

} // namespace reveille::vmm
