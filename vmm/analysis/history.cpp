#include "vmm/analysis/history.hpp"

#include <algorithm>
#include <cstdlib>

namespace reveille::vmm {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Word;

namespace {

constexpr std::ptrdiff_t kMostAlike = 8; ///< moves to one word that are looked at

bool is_mark(const Event &event) {
  switch (event.kind) {
  case EventKind::kKick:
  case EventKind::kTscServed:
  case EventKind::kDelegated:
  case EventKind::kFenced:
    return true;
  case EventKind::kResumed:
    return Word::from(event.a).state == State::kSyncing;
  default:
    return false;
  }
}

} // namespace

History::History(const Observation &seen, const Verdict &verdict)
    : evidence_(seen), ahead_(seen.cpus.size(), 0) {
  for (const CpuVerdict &cpu : verdict.cpus) // a skew within its resolution is none
    if (cpu.cpu < ahead_.size() && cpu.skew_ticks)
      if (const std::int64_t skew = *cpu.skew_ticks;
          skew != INT64_MIN && static_cast<std::uint64_t>(std::abs(skew)) > cpu.skew_resolution)
        ahead_[cpu.cpu] = static_cast<std::uint64_t>(skew);
  for (CpuIndex ring = 0; ring < seen.cpus.size(); ++ring)
    for (std::size_t i = 0; i < seen.cpus[ring].events.size(); ++i)
      if (const Event &event = seen.cpus[ring].events[i]; is_mark(event))
        marks_.push_back({event.kind, event.cpu, event.attempt, i, ring});
  std::ranges::sort(marks_, {}, &Key::order);
}

double History::us(Spot at) const { return evidence_.seen().us(event(at).tsc - ahead_[at.ring]); }

bool History::is_sane(const Event &event) const {
  return event.kind > EventKind::kNone && event.kind < EventKind::kCount && event.cpu < cpus();
}

std::optional<Spot> History::before(Spot at) const {
  while (at.index-- > 0)
    if (is_sane(event(at)))
      return at;
  return std::nullopt;
}

std::optional<Spot> History::move(CpuIndex cpu, Word to, bool own) const {
  if (cpu >= cpus())
    return std::nullopt;
  const std::vector<Move> &moves = evidence_.moves(cpu);
  const auto bits = [](const Move &move) { return move.to.bits(); };
  auto at = std::ranges::lower_bound(moves, to.bits(), {}, bits);
  const auto end = moves.end() - at > kMostAlike ? at + kMostAlike : moves.end();
  for (; at != end && at->to == to; ++at)
    if ((at->writer == cpu) == own)
      return Spot{at->writer, at->index};
  return std::nullopt;
}

std::optional<Spot> History::own_move(CpuIndex cpu, Word to) const { return move(cpu, to, true); }
std::optional<Spot> History::control_move(CpuIndex cpu, Word to) const { return move(cpu, to, false); }

std::optional<Spot> History::last(EventKind kind, CpuIndex cpu, std::uint32_t attempt,
                                  std::size_t below) const {
  const auto behind =
      std::ranges::lower_bound(marks_, std::tuple(kind, cpu, attempt, below), {}, &Key::order);
  if (behind == marks_.begin())
    return std::nullopt;
  const Key &found = *(behind - 1);
  if (found.kind != kind || found.cpu != cpu || found.attempt != attempt)
    return std::nullopt;
  return Spot{found.ring, found.index};
}

} // namespace reveille::vmm
