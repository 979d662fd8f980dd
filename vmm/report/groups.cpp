#include "vmm/report/timeline.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMaxGroups = 10;
constexpr std::size_t kMaxSlow = 3;   ///< CPUs that are named for being slow, in a group
constexpr double kSlowFactor = 4;     ///< so many medians are slow
constexpr double kSlowLeastUs = 1000; ///< and at least so much more than one

constexpr std::size_t kColumns = protocol::kPointCount + 1; ///< kick, and the points

using Members = std::vector<const CpuVerdict *>;
using Key = std::tuple<CpuOutcome, std::string, std::uint32_t>; ///< outcome, reason, attempts

/// The time in a column: 0 the kick, then the points.
std::optional<double> time_in(const CpuVerdict &cpu, std::size_t column) {
  const auto us = column == 0 ? cpu.points.kick : cpu.points.arrived[column - 1];
  return us && is_credible(*us) ? us : std::nullopt;
}

std::string_view column_name(std::size_t column) {
  return column == 0 ? std::string_view("kick") : protocol::kPoints[column - 1].name;
}

/// The value at a fraction of the sorted values.
std::optional<double> rank(const std::vector<double> &sorted, std::size_t numerator,
                           std::size_t denominator) {
  if (sorted.empty())
    return std::nullopt;
  return sorted[(sorted.size() - 1) * numerator / denominator];
}

std::string spread(const Style &style, const Members &members) {
  std::vector<double> columns[kColumns];
  for (std::size_t i = 0; i < kColumns; ++i) {
    for (const CpuVerdict *cpu : members)
      if (const auto us = time_in(*cpu, i))
        columns[i].push_back(*us);
    std::ranges::sort(columns[i]);
  }
  std::string text = paint(style, Ink::kBold, fmt::format("{:>10}{}", "", point_headings())) + '\n';
  const std::pair<std::string_view, std::size_t> rows[] = {{"min", 0}, {"median", 1}, {"max", 2}};
  for (const auto &[label, numerator] : rows) {
    text += fmt::format("{:>10}", label);
    for (const auto &column : columns)
      text += point_cell(rank(column, numerator, 2));
    text += '\n';
  }
  return text;
}

struct Slow {
  const CpuVerdict *cpu;
  std::size_t column; ///< the stretch to it
  double us;
  double median;
};

/// How long each member took from one column to the next; only of those that have both.
std::vector<Slow> stretch_to(const Members &members, std::size_t column) {
  std::vector<Slow> stretch;
  for (const CpuVerdict *cpu : members) {
    const auto from = time_in(*cpu, column - 1);
    const auto to = time_in(*cpu, column);
    if (from && to)
      stretch.push_back({cpu, column, *to - *from, 0});
  }
  return stretch;
}

/// Who took far longer over a stretch than the others, the slowest first.
std::vector<Slow> slow_ones(const Members &members) {
  std::vector<Slow> slow;
  for (std::size_t column = 1; column < kColumns; ++column) {
    std::vector<Slow> stretch = stretch_to(members, column);
    std::ranges::sort(stretch, {}, &Slow::us);
    for (const Slow &one : stretch) {
      const double median = stretch[(stretch.size() - 1) / 2].us;
      if (one.us > kSlowFactor * median && one.us > median + kSlowLeastUs)
        slow.push_back({one.cpu, one.column, one.us, median});
    }
  }
  std::ranges::stable_sort(slow, std::greater<>{}, [](const Slow &s) { return s.us - s.median; });
  return slow;
}

std::string slow_text(const Style &style, const Members &members) {
  const std::vector<Slow> slow = slow_ones(members);
  std::string text;
  for (std::size_t i = 0; i < std::min(slow.size(), kMaxSlow); ++i)
    text += wrap("      slow: ",
                 fmt::format("CPU {}: {} from {} to {}, the median is {}", slow[i].cpu->cpu,
                             ms_text(slow[i].us), column_name(slow[i].column - 1),
                             column_name(slow[i].column), ms_text(slow[i].median)),
                 style.width);
  if (slow.size() > kMaxSlow)
    text += fmt::format("      and {} more like that\n", slow.size() - kMaxSlow);
  return text;
}

std::string group_text(const Style &style, const Key &key, const Members &members) {
  const auto &[outcome, reason, attempts] = key;
  std::vector<CpuIndex> cpus;
  for (const CpuVerdict *cpu : members)
    cpus.push_back(cpu->cpu);
  const bool failed = outcome == CpuOutcome::kFailed;
  const std::string what = failed ? printable(reason) : std::string(name(outcome));
  const Ink ink = failed ? Ink::kBad : outcome == CpuOutcome::kOnline ? Ink::kGood : Ink::kDim;
  std::string text = "  " + paint(style, ink, what) + "  " + counted(members.size(), "CPU");
  if (attempts != 0)
    text += fmt::format(", {}", attempts == 1 ? "1 try" : fmt::format("{} tries", attempts));
  text += ": " + cpus_text(cpus, static_cast<std::size_t>(std::max(style.width - 45, 20))) + '\n';
  return outcome == CpuOutcome::kNotAttempted ? text
                                              : text + spread(style, members) + slow_text(style, members);
}

} // namespace

std::string groups_text(const Style &style, const Verdict &verdict) {
  std::map<Key, Members> groups;
  for (const CpuVerdict &cpu : verdict.cpus)
    if (cpu.cpu != 0) // the control CPU brings itself nowhere
      groups[{cpu.outcome, cpu.reason, cpu.attempts}].push_back(&cpu);
  std::string text;
  std::size_t shown = 0;
  std::size_t left_out = 0;
  for (const auto &[key, members] : groups)
    if (shown++ < kMaxGroups)
      text += group_text(style, key, members);
    else
      left_out += members.size();
  if (left_out != 0)
    text += fmt::format("  and {} in {}: the JSON result (--json) has them\n", counted(left_out, "CPU"),
                        counted(groups.size() - kMaxGroups, "more group"));
  return text;
}

} // namespace reveille::vmm
