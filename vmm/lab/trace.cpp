#include "vmm/lab/trace.hpp"

#include <algorithm>
#include <limits>

namespace reveille::vmm {

using abi::EventKind;
using abi::State;
using abi::Word;

namespace {

/// Events of all CPUs together, 640 MB. A sound guest writes less than its rings' capacity in
/// a cycle; this bounds what runs of very many cycles, and guests that write for ever, cost.
constexpr std::uint64_t kMostEvents = 16'000'000;

std::size_t most_kept(std::uint64_t capacity, std::uint64_t cycles, std::uint64_t cpus) {
  return std::min(capacity * (cycles + 1), std::max(capacity, kMostEvents / cpus));
}

} // namespace

Trace::Trace(ControlArea &area, FaultEngine &faults, const Scenario &scenario)
    : area_(area), faults_(faults), cycles_(scenario.bringup.cycles), rings_(area.cpus()),
      standings_(area.cpus()) {
  for (CpuIndex cpu = 0; cpu < area.cpus(); ++cpu)
    rings_[cpu].most = most_kept(area.layout().ring_capacity(cpu), cycles_, area.cpus());
}

void Trace::take(CpuIndex writer) {
  const std::lock_guard lock(mutex_);
  take_locked(writer);
}

void Trace::take_all() {
  const std::lock_guard lock(mutex_);
  for (CpuIndex writer = 0; writer < rings_.size(); ++writer)
    take_locked(writer);
}

void Trace::take_locked(CpuIndex writer) {
  const RingView view = area_.take_events(writer);
  Ring &ring = rings_[writer];
  ring.lost = view.lost;
  ring.overrun = ring.overrun || view.overrun;
  ring.taken += view.events.size();
  for (const abi::Event &event : view.events)
    note(writer, event);
  keep(ring, view.events);
}

/// The oldest half goes at once, so that keeping on does not cost a move for each event.
void Trace::keep(Ring &ring, const std::vector<abi::Event> &events) {
  ring.events.insert(ring.events.end(), events.begin(), events.end());
  if (ring.events.size() <= ring.most)
    return;
  const std::size_t spare = ring.events.size() - ring.most / 2;
  ring.events.erase(ring.events.begin(), ring.events.begin() + static_cast<std::ptrdiff_t>(spare));
  ring.dropped += spare;
}

/// Untrusted: only CPUs that exist count.
void Trace::note(CpuIndex writer, const abi::Event &event) {
  if (event.cpu >= standings_.size())
    return;
  Standing &of = standings_[event.cpu];
  const auto at_least = [&event](std::uint32_t &attempt) { attempt = std::max(attempt, event.attempt); };
  switch (event.kind) {
  case EventKind::kMoved:
    if (writer == event.cpu && Word::from(event.b).state == State::kActive)
      at_least(of.active);
    if (writer != event.cpu && Word::from(event.b).state == State::kKicked && event.attempt > of.kicked) {
      of.kicked = event.attempt;
      of.kicked_from = event.a;
    }
    break;
  case EventKind::kOnline:
    at_least(of.up);
    faults_.tell(event.cpu, event.attempt, Aftermath::kActive);
    break;
  case EventKind::kOffline:
    at_least(of.down);
    faults_.tell(event.cpu, event.attempt, Aftermath::kDead);
    break;
  case EventKind::kFailed:
    of.out = true;
    break;
  case EventKind::kQuarantined:
    at_least(of.quarantined);
    break;
  case EventKind::kProven:
    at_least(of.proven);
    break;
  case EventKind::kPanic:
    if (writer == event.cpu)
      of.panic = event;
    break;
  case EventKind::kCycle:
    if (writer == 0 && event.a <= cycles_)
      cycle_ = std::max(cycle_, static_cast<std::uint32_t>(event.a));
    break;
  default:
    break;
  }
}

Standing Trace::standing(CpuIndex cpu) const {
  const std::lock_guard lock(mutex_);
  return standings_[cpu];
}

std::uint32_t Trace::cycle() const {
  const std::lock_guard lock(mutex_);
  return cycle_;
}

std::uint64_t Trace::taken(CpuIndex writer) const {
  const std::lock_guard lock(mutex_);
  return rings_[writer].taken;
}

std::vector<abi::Event> Trace::events(CpuIndex writer) const {
  const std::lock_guard lock(mutex_);
  return rings_[writer].events;
}

std::uint32_t Trace::lost(CpuIndex writer) const {
  const std::lock_guard lock(mutex_);
  const Ring &ring = rings_[writer];
  const std::uint64_t lost = std::max<std::uint64_t>(ring.lost + ring.dropped, ring.overrun ? 1 : 0);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(lost, std::numeric_limits<std::uint32_t>::max()));
}

} // namespace reveille::vmm
