// How long the CPUs took: to each point, and from each hand-over to the next.
#pragma once

#include "vmm/judge/verdict.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace reveille::vmm {

/// A CPU's way up in its last attempt: the kick, the six points, and between two points the release
/// from the first, as the AP saw it.
inline constexpr std::size_t kMilestones = 2 * protocol::kPointCount;

/// "kick", "alive", "alive.released", "started", ..., "active".
[[nodiscard]] std::string milestone_name(std::size_t milestone);

/// When a CPU was there, microseconds from time zero; empty too where the time cannot be one.
[[nodiscard]] std::optional<double> milestone_us(const PointTimes &times, std::size_t milestone);

/// Times of several CPUs, microseconds.
struct Spread {
  std::size_t count = 0; ///< of CPUs; the rest means something only where it is not 0
  double min = 0;
  double median = 0; ///< of an even number the lower one of the two in the middle
  double max = 0;
  CpuIndex min_cpu = 0; ///< the first of several
  CpuIndex max_cpu = 0; ///< the first of several
};

struct Latencies {
  /// From time zero to the kick, and to each point.
  std::array<Spread, protocol::kPointCount + 1> points;
  /// To each point from the one before it, or from the kick: the wait for the release is in it.
  std::array<Spread, protocol::kPointCount> ways;
  /// From each milestone to the next one: from the kick to alive, from there to the release, ...
  std::array<Spread, kMilestones - 1> stretches;
};

/// Of all APs that have the times, those of the last attempt of each.
[[nodiscard]] Latencies latencies_of(const Verdict &verdict);

/// The same of some CPUs.
[[nodiscard]] Latencies latencies_of(const std::vector<const CpuVerdict *> &cpus);

} // namespace reveille::vmm
