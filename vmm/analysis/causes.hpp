// Why an event came when it did, and not before: the one that it waited for.
#pragma once

#include "vmm/analysis/chain.hpp"
#include "vmm/analysis/history.hpp"

#include <optional>

namespace reveille::vmm {

struct Cause {
  std::optional<Spot> from; ///< empty: the events do not tell
  ChainLink link;           ///< what lies between the two; its times are not set
  CpuIndex holder = 0;      ///< the CPU that faults may have held meanwhile
  /// Of a control CPU that takes up another AP: what let it do so, in its own ring. What lies between
  /// the two it did by the way, and none of that was waited for.
  std::optional<Spot> opening{};
};

class Causes {
public:
  Causes(const Scenario &scenario, const History &history) : scenario_(scenario), history_(history) {}

  /// `below`: by ring, how far the walk has come; only what stands before that is looked for.
  [[nodiscard]] Cause of(Spot at, const std::vector<std::size_t> &below) const;

  /// Of what a control CPU did by the way: what it did before.
  [[nodiscard]] Cause in_between(Spot at) const;

private:
  using Below = const std::vector<std::size_t> &;

  [[nodiscard]] Cause on_ap(Spot at) const;
  [[nodiscard]] Cause own_work(Spot at) const;
  [[nodiscard]] Cause on_control(Spot at, Below below) const;
  [[nodiscard]] Cause moved_by_control(Spot at, Below below) const;
  [[nodiscard]] Cause gave_up(Spot at) const;
  [[nodiscard]] Cause began(Spot at, LinkKind kind, Below below) const;
  [[nodiscard]] std::optional<Spot> last_sign(CpuIndex control, CpuIndex of, Below below) const;
  [[nodiscard]] Cause came_back(Spot at, LinkKind kind, Below below) const;
  [[nodiscard]] Cause lapsed(Spot at, Below below) const;
  [[nodiscard]] Cause busy(Spot at, LinkKind kind) const;
  [[nodiscard]] Cause later_of(Spot at, std::optional<Spot> arrival, const ChainLink &waited,
                               LinkKind otherwise = LinkKind::kControl) const;

  const Scenario &scenario_;
  const History &history_;
};

} // namespace reveille::vmm
