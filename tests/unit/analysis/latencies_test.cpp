#include "vmm/analysis/latencies.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace reveille::vmm {
namespace {

/// CPU 0, and APs that were kicked `begin` apart and take `step` from each milestone to the next.
Verdict made(const std::vector<double> &steps) {
  Verdict verdict;
  verdict.cpus.emplace_back();
  for (const double step : steps) {
    CpuVerdict cpu;
    cpu.cpu = static_cast<CpuIndex>(verdict.cpus.size());
    cpu.points.kick = 10.0 * cpu.cpu;
    for (std::size_t i = 0; i < protocol::kPointCount; ++i) {
      const double at = *cpu.points.kick + step * static_cast<double>(2 * i + 1);
      cpu.points.arrived[i] = at;
      if (i + 1 < protocol::kPointCount)
        cpu.points.resumed[i] = at + step;
    }
    verdict.cpus.push_back(cpu);
  }
  return verdict;
}

TEST(Latencies, NameWhoIsFastestAndWhoIsSlowest) {
  const Latencies all = latencies_of(made({5, 2, 9, 3}));
  EXPECT_EQ(all.points[0].count, 4U);
  EXPECT_EQ(all.points[0].min, 10);
  EXPECT_EQ(all.points[0].median, 20);
  EXPECT_EQ(all.points[0].max, 40);
  EXPECT_EQ(all.points[0].min_cpu, 1U);
  EXPECT_EQ(all.points[0].max_cpu, 4U);
  for (const Spread &stretch : all.stretches) {
    EXPECT_EQ(stretch.count, 4U);
    EXPECT_DOUBLE_EQ(stretch.min, 2);
    EXPECT_EQ(stretch.min_cpu, 2U);
    EXPECT_DOUBLE_EQ(stretch.median, 3);
    EXPECT_DOUBLE_EQ(stretch.max, 9);
    EXPECT_EQ(stretch.max_cpu, 3U);
  }
}

TEST(Latencies, TheWayToAPointHasTheWaitForTheReleaseInIt) {
  const Latencies all = latencies_of(made({5, 2, 9}));
  EXPECT_DOUBLE_EQ(all.ways[0].max, 9); // from the kick
  for (std::size_t i = 1; i < all.ways.size(); ++i) {
    EXPECT_DOUBLE_EQ(all.ways[i].min, 4);
    EXPECT_DOUBLE_EQ(all.ways[i].max, 18);
    EXPECT_EQ(all.ways[i].max_cpu, 3U);
  }
}

TEST(Latencies, AreOfThoseThatHaveThem) {
  Verdict verdict = made({5, 5});
  verdict.cpus[1].points.arrived[5].reset();
  verdict.cpus[2].points.arrived[0] = std::numeric_limits<double>::quiet_NaN();
  const Latencies all = latencies_of(verdict);
  EXPECT_EQ(all.points[6].count, 1U);
  EXPECT_EQ(all.points[6].max_cpu, 2U);
  EXPECT_EQ(all.stretches[0].count, 1U); // kick to alive
  EXPECT_EQ(all.stretches[0].max_cpu, 1U);
  EXPECT_EQ(latencies_of(Verdict{}).points[0].count, 0U);
}

TEST(Latencies, AReleaseIsNotSeenBeforeItsPoint) {
  Verdict verdict = made({5});
  verdict.cpus[1].points.resumed[0] = *verdict.cpus[1].points.arrived[0] - 3;
  EXPECT_EQ(latencies_of(verdict).stretches[1].max, 0);
}

TEST(Latencies, NameTheMilestones) {
  EXPECT_EQ(milestone_name(0), "kick");
  EXPECT_EQ(milestone_name(1), "alive");
  EXPECT_EQ(milestone_name(2), "alive.released");
  EXPECT_EQ(milestone_name(kMilestones - 1), "active");
}

} // namespace
} // namespace reveille::vmm
