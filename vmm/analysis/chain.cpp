#include "vmm/analysis/chain.hpp"

#include "vmm/analysis/causes.hpp"
#include "vmm/analysis/credible.hpp"
#include "vmm/analysis/holds.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace reveille::vmm {

using abi::Event;
using abi::EventKind;
using abi::State;

namespace {

constexpr double kLeastUs = 0.0005; ///< a shorter link is a part of the one before

/// Where the walk begins, and what is told of it.
struct Start {
  ChainEnd end = ChainEnd::kNothing;
  std::optional<Spot> at{}; ///< empty: nothing but its time is known
  double us = 0;
};

/// The last CPU that became active, if none failed.
Start last_active(const History &history, const Verdict &verdict) {
  const CpuVerdict *last = nullptr;
  constexpr auto kActive = static_cast<std::size_t>(protocol::Point::kActive);
  for (const CpuVerdict &cpu : verdict.cpus) {
    if (cpu.outcome == CpuOutcome::kFailed)
      return {};
    const auto active = cpu.points.arrived[kActive];
    if (active && cpu.cpu < history.cpus() && (last == nullptr || *active > *last->points.arrived[kActive]))
      last = &cpu;
  }
  if (last == nullptr || !is_credible(*last->points.arrived[kActive]))
    return {};
  const auto &moves = history.evidence().moves(last->cpu);
  const auto move = std::find_if(moves.rbegin(), moves.rend(), [&](const Move &m) {
    return m.to.state == State::kActive && m.writer == last->cpu;
  });
  Start start{ChainEnd::kActive, std::nullopt, *last->points.arrived[kActive]};
  if (move != moves.rend())
    start.at = Spot{move->writer, move->index};
  return start;
}

Start last_decision(const History &history, const Verdict &verdict) {
  if (!verdict.decided_us || !is_credible(*verdict.decided_us) || history.cpus() == 0)
    return {};
  Start start{ChainEnd::kDecided, std::nullopt, *verdict.decided_us};
  const auto &ring = history.ring(0);
  for (std::size_t i = ring.size(); i-- > 0 && !start.at;)
    if (ring[i].kind == EventKind::kDecided)
      start.at = Spot{0, i};
  return start;
}

Start last_event(const History &history) {
  Start start;
  for (CpuIndex ring = 0; ring < history.cpus(); ++ring) {
    const auto last = history.before({ring, history.ring(ring).size()});
    if (last && is_credible(history.us(*last)) && history.us(*last) >= start.us)
      start = {ChainEnd::kLastEvent, last, history.us(*last)};
  }
  return start;
}

Start start_of(const History &history, const Observation &seen, const Verdict &verdict) {
  if (seen.zero_tsc == 0 || history.cpus() == 0)
    return {};
  if (seen.decided_tsc == 0)
    return last_event(history);
  const Start active = last_active(history, verdict);
  const Start start = active.end != ChainEnd::kNothing ? active : last_decision(history, verdict);
  return start.end != ChainEnd::kNothing ? start : last_event(history);
}

/// From the end to time zero.
class Walk {
public:
  Walk(const Scenario &scenario, const Observation &seen, const History &history)
      : history_(history), causes_(scenario, history), holds_(holds_of(scenario, seen)) {
    for (CpuIndex cpu = 0; cpu < history.cpus(); ++cpu)
      below_.push_back(history.ring(cpu).size());
  }

  Chain take(const Start &start) {
    chain_.end = start.end;
    chain_.total_us = us_ = start.us;
    std::optional<Spot> at = start.at;
    while (at && !begins(*at) && us_ > 0)
      at = step(*at);
    finish(at.has_value());
    std::ranges::reverse(chain_.links);
    return std::move(chain_);
  }

private:
  /// It only ever goes back in each ring, so that it ends whatever stands there.
  std::optional<Spot> step(Spot at) {
    if (at.index >= below_[at.ring])
      return std::nullopt;
    below_[at.ring] = at.index;
    const bool by_the_way = opening_ && at.ring == opening_->ring && at.index > opening_->index;
    note_cycle(at);
    const Cause cause = by_the_way ? causes_.in_between(at) : causes_.of(at, below_);
    if (!cause.from)
      return std::nullopt;
    if (!by_the_way)
      opening_ = cause.opening;
    const double from = history_.us(*cause.from);
    add(cause.link, cause.holder, std::isfinite(from) ? std::clamp(from, 0.0, us_) : us_);
    return cause.from;
  }

  [[nodiscard]] bool begins(Spot at) const {
    return at.ring == 0 && history_.event(at).kind == EventKind::kZero;
  }

  void note_cycle(Spot at) {
    const Event &event = history_.event(at);
    if (at.ring != 0 || event.kind != EventKind::kCycle)
      return;
    oldest_ = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(event.a, 1, UINT32_MAX));
    chain_.cycles = std::max(chain_.cycles, oldest_);
  }

  /// What is left at the beginning.
  void finish(bool has_begun) {
    ChainLink rest;
    rest.kind = has_begun ? LinkKind::kControl : oldest_ > 1 ? LinkKind::kEarlier : LinkKind::kUnknown;
    put(rest, 0);
  }

  /// The time down to `from`, without what faults took of it.
  void add(ChainLink link, CpuIndex holder, double from) {
    static const std::vector<HeldSpan> kNone;
    const std::vector<HeldSpan> &holds = holder < holds_.size() ? holds_[holder] : kNone;
    // The last that began before the link's end; the walk comes from behind.
    auto hold = std::ranges::lower_bound(holds, us_, {}, &HeldSpan::from_us);
    if (link.kind == LinkKind::kTimeout) { // what held it is why it did not come
      if (hold != holds.begin() && std::prev(hold)->to_us > from)
        link.fault = std::prev(hold)->fault;
      put(link, from);
      return;
    }
    while (hold != holds.begin() && us_ > from) {
      --hold;
      if (hold->to_us <= from)
        break;
      put(link, std::min(us_, hold->to_us));
      ChainLink held;
      held.kind = LinkKind::kHeld;
      held.cpu = held.with = holder;
      held.fault = hold->fault;
      put(held, std::clamp(hold->from_us, from, us_));
    }
    put(link, from);
  }

  /// In front of what is there, or as a part of it.
  void put(ChainLink link, double from) {
    if (us_ - from < kLeastUs && (from > 0 || us_ == 0))
      return;
    link.from_us = from;
    link.to_us = us_;
    us_ = from;
    if (!chain_.links.empty() && is_alike(chain_.links.back(), link)) {
      ChainLink &next = chain_.links.back();
      next.from_us = from;
      if (link.step && (!next.step || link.step_us > next.step_us))
        std::tie(next.step, next.step_us) = std::pair(link.step, link.step_us);
      return;
    }
    chain_.links.push_back(link);
  }

  static bool is_alike(const ChainLink &a, const ChainLink &b) {
    return a.kind == b.kind && a.cpu == b.cpu && a.with == b.with && a.point == b.point && a.fault == b.fault;
  }

  const History &history_;
  Causes causes_;
  std::vector<std::vector<HeldSpan>> holds_;
  std::vector<std::size_t> below_; ///< by ring: what has been walked through stands at it and behind
  Chain chain_;
  std::optional<Spot> opening_; ///< back to which a control CPU waited for nobody
  double us_ = 0;               ///< how far back it has come
  std::uint32_t oldest_ = 1;    ///< the cycle that it has come to
};

} // namespace

Chain critical_chain(const Scenario &scenario, const Observation &seen, const Verdict &verdict) {
  const History history(seen, verdict);
  Chain chain = Walk(scenario, seen, history).take(start_of(history, seen, verdict));
  chain.gap = history.evidence().gap();
  return chain;
}

} // namespace reveille::vmm
