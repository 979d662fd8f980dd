#include "vmm/analysis/groups.hpp"

#include "vmm/analysis/latencies.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

namespace reveille::vmm {
namespace {

constexpr double kSlowFactor = 4;     ///< so many medians are slow
constexpr double kSlowLeastUs = 1000; ///< and at least so much more than one

/// How long each member took from one milestone to another; only of those that have both.
std::vector<Outlier> stretches(const Group &group, std::size_t from, std::size_t to) {
  std::vector<Outlier> all;
  for (const CpuVerdict *cpu : group.members) {
    const auto begin = milestone_us(cpu->points, from);
    const auto end = milestone_us(cpu->points, to);
    if (begin && end)
      all.push_back({cpu->cpu, from, to, *end - *begin, 0});
  }
  return all;
}

/// Who took far longer from one point to the next than the others, the slowest first.
std::vector<Outlier> outliers_of(const Group &group) {
  std::vector<Outlier> slow;
  for (std::size_t to = 1; to < kMilestones; to += 2) {
    std::vector<Outlier> all = stretches(group, to == 1 ? 0 : to - 2, to);
    std::ranges::stable_sort(all, {}, &Outlier::us);
    for (Outlier &one : all) {
      one.median_us = all[(all.size() - 1) / 2].us;
      if (one.us > kSlowFactor * one.median_us && one.us > one.median_us + kSlowLeastUs)
        slow.push_back(one);
    }
  }
  std::ranges::stable_sort(slow, std::greater<>{}, [](const Outlier &s) { return s.us - s.median_us; });
  return slow;
}

} // namespace

std::vector<CpuIndex> Group::cpus() const {
  std::vector<CpuIndex> numbers;
  numbers.reserve(members.size());
  for (const CpuVerdict *cpu : members)
    numbers.push_back(cpu->cpu);
  return numbers;
}

std::vector<Group> groups_of(const Verdict &verdict) {
  std::map<std::tuple<CpuOutcome, std::string, std::uint32_t>, std::vector<const CpuVerdict *>> members;
  for (const CpuVerdict &cpu : verdict.cpus)
    if (cpu.cpu != 0) // the control CPU brings itself nowhere
      members[{cpu.outcome, cpu.reason, cpu.attempts}].push_back(&cpu);
  std::vector<Group> groups;
  for (auto &[key, cpus] : members) {
    const auto &[outcome, reason, attempts] = key;
    groups.push_back({outcome, reason, attempts, std::move(cpus), {}});
    groups.back().outliers = outliers_of(groups.back());
  }
  return groups;
}

} // namespace reveille::vmm
