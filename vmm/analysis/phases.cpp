#include "vmm/analysis/phases.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace reveille::vmm {
namespace {

bool stands_alone(LinkKind kind) {
  switch (kind) {
  case LinkKind::kEarlier:
  case LinkKind::kLease:
  case LinkKind::kTimeout:
  case LinkKind::kHeld:
  case LinkKind::kUnknown:
    return true;
  default:
    return false;
  }
}

/// CPU 0 has nothing to do but for others.
bool is_control(const ChainLink &link) { return link.cpu == 0 || link.cpu != link.with; }

/// One while it grows.
struct Growing {
  Phase phase;
  std::array<double, kLinkKinds> us{};

  explicit Growing(const ChainLink &link) {
    phase.stands_alone = stands_alone(link.kind);
    phase.is_control = !phase.stands_alone && is_control(link);
    phase.cpu = link.cpu;
    phase.first = link;
    phase.from_us = phase.to_us = link.from_us;
    take(link);
  }

  [[nodiscard]] bool goes_on_with(const ChainLink &link) const {
    if (phase.stands_alone || stands_alone(link.kind))
      return phase.stands_alone && link.kind == phase.first.kind && link.cpu == phase.cpu &&
             link.fault == phase.first.fault && link.with == phase.first.with;
    if (!phase.is_control) // an AP's, and what is done for it
      return is_control(link) ? link.with == phase.cpu : link.cpu == phase.cpu;
    return is_control(link) ? link.cpu == phase.cpu : phase.with.size() == 1 && phase.with[0] == link.cpu;
  }

  void take(const ChainLink &link) {
    if (phase.is_control && !is_control(link)) { // all that was done was for this one
      phase.is_control = false;
      phase.cpu = link.cpu;
      phase.with.clear();
    }
    if (phase.is_control && link.with != link.cpu && (phase.with.empty() || phase.with.back() != link.with))
      phase.with.push_back(link.with);
    us.at(static_cast<std::size_t>(link.kind)) += link.us();
    phase.to_us = link.to_us;
  }

  [[nodiscard]] Phase done() {
    for (std::size_t i = 0; i < us.size(); ++i)
      if (us.at(i) > 0)
        phase.parts.push_back({static_cast<LinkKind>(i), us.at(i)});
    std::ranges::stable_sort(phase.parts, std::greater<>{}, &Phase::Part::us);
    std::ranges::sort(phase.with);
    phase.with.erase(std::unique(phase.with.begin(), phase.with.end()), phase.with.end());
    return std::move(phase);
  }
};

} // namespace

std::vector<Phase> phases_of(const Chain &chain) {
  std::vector<Phase> phases;
  std::vector<Growing> open; // the one that grows, if there is one
  for (const ChainLink &link : chain.links) {
    if (!open.empty() && open.back().goes_on_with(link)) {
      open.back().take(link);
      continue;
    }
    if (!open.empty())
      phases.push_back(open.back().done());
    open.assign(1, Growing(link));
  }
  if (!open.empty())
    phases.push_back(open.back().done());
  return phases;
}

} // namespace reveille::vmm
