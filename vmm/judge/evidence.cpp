#include "vmm/judge/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {

using abi::Event;
using abi::EventKind;
using abi::Word;

Evidence::Evidence(const Observation &seen)
    : seen_(seen), moves_(seen.cpus.size()), by_control_(seen.cpus.size()), by_itself_(seen.cpus.size()),
      firings_(seen.cpus.size()), firings_on_(seen.cpus.size()), writes_(seen.cpus.size()),
      crashes_(seen.cpus.size()) {
  for (const Firing &firing : seen.firings) {
    if (firing.vcpu < firings_on_.size())
      firings_on_[firing.vcpu].push_back(&firing);
    if (firing.cpu >= firings_.size())
      continue;
    firings_[firing.cpu].push_back(&firing);
    if (firing.wrote)
      writes_[firing.cpu].push_back(*firing.wrote);
  }
  for (const CrashEvidence &crash : seen.crashes)
    if (crash.cpu < crashes_.size())
      crashes_[crash.cpu].push_back(&crash);
  for (CpuIndex writer = 0; writer < seen.cpus.size(); ++writer) {
    const CpuObservation &cpu = seen.cpus[writer];
    if (cpu.lost_events > 0 && gap_.empty())
      gap_ = fmt::format("the event ring of CPU {} overflowed, {} events lost", writer, cpu.lost_events);
    for (std::size_t i = 0; i < cpu.events.size(); ++i)
      take(writer, i, cpu.events[i]);
  }
  for (auto &moves : moves_)
    std::stable_sort(moves.begin(), moves.end(),
                     [](const Move &a, const Move &b) { return a.to.bits() < b.to.bits(); });
  // In tree several CPUs write about one; each of them in its own order.
  for (auto &notes : by_control_)
    if (std::any_of(notes.begin(), notes.end(), [](const Noted &note) { return note.writer != 0; }))
      std::stable_sort(notes.begin(), notes.end(),
                       [](const Noted &a, const Noted &b) { return a.event.tsc < b.event.tsc; });
}

std::optional<std::uint64_t> Evidence::lost_tsc(CpuIndex cpu) const {
  const auto it = std::ranges::find_if(by_control_[cpu], [](const Noted &note) {
    return note.event.kind == EventKind::kFailed &&
           abi::failure_of(note.event.b).reason == abi::FailReason::kLost;
  });
  return it == by_control_[cpu].end() ? std::nullopt : std::optional(it->event.tsc);
}

bool Evidence::is_written(CpuIndex cpu, std::uint32_t attempt) const {
  return std::ranges::any_of(writes_[cpu], [attempt](const WordWrite &write) {
    return Word::from(write.before).attempt == attempt;
  });
}

bool Evidence::has_made(CpuIndex cpu, std::uint64_t word) const {
  return std::ranges::any_of(writes_[cpu], [word](const WordWrite &write) { return write.after == word; });
}

void Evidence::take(CpuIndex writer, std::size_t index, const Event &event) {
  const bool known = event.kind > EventKind::kNone && event.kind < EventKind::kCount;
  const bool placed = event.cpu < moves_.size();
  const bool words = event.kind != EventKind::kMoved || (Word::is_valid(event.a) && Word::is_valid(event.b));
  if (!known || !placed || !words) {
    if (gap_.empty())
      gap_ = fmt::format("event {} in the ring of CPU {} is none that a guest writes", index, writer);
    return;
  }
  (writer != 0 && writer == event.cpu ? by_itself_ : by_control_)[event.cpu].push_back(
      {writer, index, event});
  if (event.kind == EventKind::kMoved)
    moves_[event.cpu].push_back({writer, event.tsc, Word::from(event.a), Word::from(event.b), index});
}

} // namespace reveille::vmm
