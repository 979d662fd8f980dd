#include "vmm/analysis/groups.hpp"
#include "vmm/analysis/latencies.hpp"
#include "vmm/base/printable.hpp"
#include "vmm/report/timeline.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMaxGroups = 10;
constexpr std::size_t kLabel = 12;  ///< columns in front of the times
constexpr std::size_t kMaxSlow = 3; ///< CPUs that are named for being slow, in a group

std::string spread(const Style &style, const Group &group) {
  const Latencies latencies = latencies_of(group.members);
  std::string text = paint(style, Ink::kBold, fmt::format("{:>{}}{}", "", kLabel, point_headings())) + '\n';
  const std::pair<std::string_view, double Spread::*> rows[] = {
      {"min", &Spread::min}, {"median", &Spread::median}, {"max", &Spread::max}};
  for (const auto &[label, value] : rows) {
    text += fmt::format("{:>{}}", label, kLabel);
    for (const Spread &point : latencies.points)
      text += point_cell(point.count == 0 ? std::nullopt : std::optional(point.*value));
    text += '\n';
  }
  return text;
}

std::string slow_text(const Style &style, const std::vector<Outlier> &slow) {
  std::string text;
  for (std::size_t i = 0; i < std::min(slow.size(), kMaxSlow); ++i)
    text += wrap("      slow: ",
                 fmt::format("CPU {}: {} from {} to {}, the median is {}", slow[i].cpu, ms_text(slow[i].us),
                             milestone_name(slow[i].from), milestone_name(slow[i].to),
                             ms_text(slow[i].median_us)),
                 style.width);
  if (slow.size() > kMaxSlow)
    text += fmt::format("      and {} more like that\n", slow.size() - kMaxSlow);
  return text;
}

std::string group_text(const Style &style, const Group &group) {
  const bool failed = group.outcome == CpuOutcome::kFailed;
  const std::string what = failed ? printable(group.reason) : std::string(name(group.outcome));
  const Ink ink = failed ? Ink::kBad : group.outcome == CpuOutcome::kOnline ? Ink::kGood : Ink::kDim;
  std::string text = "  " + paint(style, ink, what) + "  " + counted(group.members.size(), "CPU");
  if (group.attempts != 0)
    text += fmt::format(", {}", group.attempts == 1 ? "1 try" : fmt::format("{} tries", group.attempts));
  text += ": " + cpus_text(group.cpus(), static_cast<std::size_t>(std::max(style.width - 45, 20))) + '\n';
  return group.outcome == CpuOutcome::kNotAttempted
             ? text
             : text + spread(style, group) + slow_text(style, group.outliers);
}

} // namespace

std::string groups_text(const Style &style, const Verdict &verdict) {
  const std::vector<Group> groups = groups_of(verdict);
  std::string text;
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (i < kMaxGroups)
      text += group_text(style, groups[i]);
    else
      left_out += groups[i].members.size();
  if (left_out != 0)
    text += fmt::format("  and {} in {}: the JSON result (--json) has them\n", counted(left_out, "CPU"),
                        counted(groups.size() - kMaxGroups, "more group"));
  return text + latencies_text(style, verdict, kLabel);
}

} // namespace reveille::vmm
