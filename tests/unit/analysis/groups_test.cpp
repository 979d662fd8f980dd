#include "vmm/analysis/groups.hpp"

#include "vmm/analysis/latencies.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

/// CPU 0, and APs that are up, each point 100 us behind the one before.
Verdict made(CpuIndex aps) {
  Verdict verdict;
  for (CpuIndex i = 0; i <= aps; ++i) {
    CpuVerdict cpu;
    cpu.cpu = i;
    cpu.outcome = CpuOutcome::kOnline;
    cpu.attempts = 1;
    cpu.points.kick = 10.0 * i;
    for (std::size_t p = 0; p < protocol::kPointCount; ++p)
      cpu.points.arrived[p] = *cpu.points.kick + 100.0 * static_cast<double>(p + 1);
    verdict.cpus.push_back(cpu);
  }
  return verdict;
}

TEST(Groups, AreByOutcomeReasonAndAttempts) {
  Verdict verdict = made(9);
  verdict.cpus[3].attempts = 2;
  for (const CpuIndex cpu : {5U, 7U}) {
    verdict.cpus[cpu].outcome = CpuOutcome::kFailed;
    verdict.cpus[cpu].reason = "timeout@alive";
  }
  verdict.cpus[8].outcome = CpuOutcome::kNotAttempted;
  const std::vector<Group> groups = groups_of(verdict);
  ASSERT_EQ(groups.size(), 4U);
  EXPECT_EQ(groups[0].cpus(), (std::vector<CpuIndex>{1, 2, 4, 6, 9}));
  EXPECT_EQ(groups[1].cpus(), std::vector<CpuIndex>{3});
  EXPECT_EQ(groups[1].attempts, 2U);
  EXPECT_EQ(groups[2].cpus(), (std::vector<CpuIndex>{5, 7}));
  EXPECT_EQ(groups[2].reason, "timeout@alive");
  EXPECT_EQ(groups[3].outcome, CpuOutcome::kNotAttempted);
}

TEST(Groups, NameThoseThatStandOut) {
  Verdict verdict = made(20);
  const auto delay = [&](CpuIndex cpu, std::size_t from, double us) {
    for (std::size_t p = from; p < protocol::kPointCount; ++p)
      *verdict.cpus[cpu].points.arrived[p] += us;
  };
  delay(4, 2, 40'000);
  delay(9, 0, 90'000);
  delay(11, 1, 900); // less than a millisecond more is nothing
  const std::vector<Group> groups = groups_of(verdict);
  ASSERT_EQ(groups.size(), 1U);
  ASSERT_EQ(groups[0].outliers.size(), 2U);
  const Outlier &slowest = groups[0].outliers[0];
  EXPECT_EQ(slowest.cpu, 9U);
  EXPECT_EQ(milestone_name(slowest.from), "kick");
  EXPECT_EQ(milestone_name(slowest.to), "alive");
  EXPECT_EQ(slowest.us, 90'100);
  EXPECT_EQ(slowest.median_us, 100);
  EXPECT_EQ(groups[0].outliers[1].cpu, 4U);
  EXPECT_EQ(milestone_name(groups[0].outliers[1].to), "synced");
}

} // namespace
} // namespace reveille::vmm
