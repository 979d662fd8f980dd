#include "vmm/analysis/latencies.hpp"

#include "vmm/analysis/credible.hpp"

#include <algorithm>

namespace reveille::vmm {
namespace {

struct Sample {
  double us;
  CpuIndex cpu;
};

Spread spread_of(std::vector<Sample> &samples) {
  if (samples.empty())
    return {};
  const auto shorter = [](const Sample &a, const Sample &b) { return a.us < b.us; };
  const auto [min, max] = std::pair(std::min_element(samples.begin(), samples.end(), shorter),
                                    std::max_element(samples.begin(), samples.end(), shorter));
  Spread spread{samples.size(), min->us, 0, max->us, min->cpu, max->cpu};
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>((samples.size() - 1) / 2);
  std::nth_element(samples.begin(), middle, samples.end(), shorter);
  spread.median = middle->us;
  return spread;
}

} // namespace

std::string milestone_name(std::size_t milestone) {
  if (milestone == 0)
    return "kick";
  const std::string point(protocol::kPoints.at((milestone - 1) / 2).name);
  return milestone % 2 == 1 ? point : point + ".released";
}

std::optional<double> milestone_us(const PointTimes &times, std::size_t milestone) {
  const std::size_t point = milestone == 0 ? 0 : (milestone - 1) / 2;
  const auto us = milestone == 0       ? times.kick
                  : milestone % 2 == 1 ? times.arrived.at(point)
                                       : times.resumed.at(point);
  return us && is_credible(*us) ? us : std::nullopt;
}

Latencies latencies_of(const std::vector<const CpuVerdict *> &cpus) {
  Latencies all;
  std::vector<Sample> samples;
  samples.reserve(cpus.size());
  for (std::size_t i = 0; i < all.points.size(); ++i) {
    samples.clear();
    for (const CpuVerdict *cpu : cpus)
      if (const auto us = milestone_us(cpu->points, i == 0 ? 0 : 2 * i - 1))
        samples.push_back({*us, cpu->cpu});
    all.points[i] = spread_of(samples);
  }
  const auto between = [&](std::size_t begin, std::size_t end) {
    samples.clear();
    for (const CpuVerdict *cpu : cpus) {
      const auto from = milestone_us(cpu->points, begin);
      const auto to = milestone_us(cpu->points, end);
      if (from && to) // a release may be written down before the arrival that it answers
        samples.push_back({std::max(*to - *from, 0.0), cpu->cpu});
    }
    return spread_of(samples);
  };
  for (std::size_t i = 0; i < all.stretches.size(); ++i)
    all.stretches[i] = between(i, i + 1);
  for (std::size_t i = 0; i < all.ways.size(); ++i)
    all.ways[i] = between(i == 0 ? 0 : 2 * i - 1, 2 * i + 1);
  return all;
}

Latencies latencies_of(const Verdict &verdict) {
  std::vector<const CpuVerdict *> cpus;
  for (const CpuVerdict &cpu : verdict.cpus)
    if (cpu.cpu != 0) // the control CPU brings itself nowhere
      cpus.push_back(&cpu);
  return latencies_of(cpus);
}

} // namespace reveille::vmm
