#include "vmm/report/tree.hpp"

#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace reveille::vmm {
namespace {

using abi::Event;
using abi::EventKind;

constexpr std::size_t kMaxKickers = 16; ///< with so many each gets a line
constexpr std::size_t kMaxLapses = 6;

/// By whom each CPU was kicked in its last attempt.
std::map<CpuIndex, std::vector<CpuIndex>> kicked_by(const Observation &seen) {
  std::map<CpuIndex, std::pair<std::uint32_t, CpuIndex>> last; // of a CPU: attempt, and who
  for (CpuIndex writer = 0; writer < seen.cpus.size(); ++writer)
    for (const Event &event : seen.cpus[writer].events)
      if (event.kind == EventKind::kKick && event.cpu < seen.cpus.size())
        last[event.cpu] = std::max(last[event.cpu], {event.attempt, writer});
  std::map<CpuIndex, std::vector<CpuIndex>> by;
  for (const auto &[cpu, kick] : last)
    by[kick.second].push_back(cpu);
  return by;
}

std::string kicks_text(const Style &style, const std::map<CpuIndex, std::vector<CpuIndex>> &by) {
  const auto most_wide = static_cast<std::size_t>(std::max(style.width - 45, 20));
  std::string text;
  if (by.size() <= kMaxKickers) {
    for (const auto &[who, cpus] : by)
      text += fmt::format("  {} kicked {}\n", who == 0 ? "the control CPU" : fmt::format("CPU {}", who),
                          cpus_text(cpus, most_wide));
    return text;
  }
  const auto own = by.find(0);
  const auto most = std::ranges::max_element(
      by, {}, [](const auto &entry) { return entry.first == 0 ? std::size_t{0} : entry.second.size(); });
  if (own != by.end())
    text += fmt::format("  the control CPU kicked {}\n", cpus_text(own->second, most_wide));
  return text + wrap("  ",
                     fmt::format("{} kicked the others, CPU {} the most of them: {}",
                                 counted(by.size() - (own != by.end() ? 1 : 0), "other CPU"), most->first,
                                 cpus_text(most->second, most_wide)),
                     style.width);
}

/// A lease that was not renewed in time.
struct Lapse {
  CpuIndex child;
  std::uint64_t control;
  double fenced_us;
  std::optional<double> let_go_us;
};

std::vector<Lapse> lapses_of(const Observation &seen) {
  std::vector<Lapse> lapses;
  if (seen.cpus.empty())
    return lapses;
  for (const Event &event : seen.cpus[0].events) {
    if (event.kind == EventKind::kFenced)
      lapses.push_back({event.cpu, event.a, seen.us(event.tsc), {}});
    if (event.kind != EventKind::kAdopted)
      continue;
    const auto open = std::ranges::find_if(lapses, [&](const Lapse &lapse) {
      return lapse.child == event.cpu && lapse.control == event.a && !lapse.let_go_us;
    });
    if (open != lapses.end())
      open->let_go_us = seen.us(event.tsc);
  }
  return lapses;
}

std::string lapse_text(const Style &style, const Lapse &lapse) {
  return wrap(
      "  ",
      fmt::format("CPU {} did not renew its lease on CPU {}, and was shut out at {}; it {}", lapse.control,
                  lapse.child, ms_text(lapse.fenced_us),
                  lapse.let_go_us ? "let go of it at " + ms_text(*lapse.let_go_us) : "never let go of it"),
      style.width);
}

} // namespace

std::string tree_text(const Style &style, const Scenario &scenario, const Observation &seen) {
  const auto by = kicked_by(seen);
  if (scenario.bringup.strategy != abi::Strategy::kTree || by.empty())
    return {};
  std::string text = paint(style, Ink::kBold, "tree") + '\n' + kicks_text(style, by);
  const std::vector<Lapse> lapses = lapses_of(seen);
  for (std::size_t i = 0; i < std::min(lapses.size(), kMaxLapses); ++i)
    text += paint(style, Ink::kWarn, lapse_text(style, lapses[i]));
  if (lapses.size() > kMaxLapses)
    text += fmt::format("  and {} more like that\n", lapses.size() - kMaxLapses);
  return text;
}

} // namespace reveille::vmm
