#include "vmm/report/critical.hpp"

#include "vmm/analysis/blame.hpp"
#include "vmm/analysis/phases.hpp"
#include "vmm/base/printable.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMostPhases = 3; ///< that get a line, or the line of what is left out
constexpr std::size_t kMostParts = 3;  ///< of a phase

std::string heading(const Chain &chain) {
  const std::string total = ms_text(chain.total_us);
  std::string text;
  switch (chain.end) {
  case ChainEnd::kNothing:
    return {};
  case ChainEnd::kActive:
    text = fmt::format("what decided the {} to the last active CPU", total);
    break;
  case ChainEnd::kDecided:
    text = fmt::format("what decided the {} until all were decided", total);
    break;
  case ChainEnd::kLastEvent:
    text = fmt::format("what came last in the {} that events tell of", total);
    break;
  }
  if (chain.cycles > 1)
    text += fmt::format(", {} cycles", chain.cycles);
  return text + (chain.gap.empty() ? "" : ", as far as the events are there");
}

std::string who(CpuIndex cpu) { return cpu == 0 ? "the control CPU" : fmt::format("CPU {}", cpu); }

/// "prepare 2.272, kick 0.131, 2 more".
std::string parts_text(const Phase &phase) {
  std::string text;
  const std::size_t shown = std::min(phase.parts.size(), kMostParts);
  for (std::size_t i = 0; i < shown; ++i)
    text +=
        fmt::format("{}{} {}", i == 0 ? "" : ", ", name(phase.parts[i].kind), ms_figure(phase.parts[i].us));
  if (shown < phase.parts.size())
    text += fmt::format(", {} more", phase.parts.size() - shown);
  return text;
}

std::string phase_text(const Phase &phase, const StepNames &steps, int width) {
  if (phase.first.kind == LinkKind::kEarlier || phase.first.kind == LinkKind::kUnknown)
    return link_text(phase.first, steps);
  if (phase.stands_alone)
    return fmt::format("{} {}", who(phase.cpu), printable(link_text(phase.first, steps)));
  std::string text = who(phase.cpu);
  if (!phase.with.empty())
    text += " for " + cpus_text(phase.with, static_cast<std::size_t>(std::max(width / 4, 12)));
  return text + ": " + parts_text(phase);
}

std::string line(const Style &style, double us, const std::string &text) {
  return wrap(fmt::format("  {:>8} ms  ", ms_figure(us)), text, style.width);
}

/// Which phases get a line: all of a few, else the longest, in the order of time.
std::vector<std::size_t> chosen(const std::vector<Phase> &phases) {
  std::vector<std::size_t> order(phases.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  if (phases.size() > kMostPhases) {
    std::ranges::stable_sort(order,
                             [&](std::size_t a, std::size_t b) { return phases[a].us() > phases[b].us(); });
    order.resize(kMostPhases - 1);
    std::ranges::sort(order);
  }
  return order;
}

} // namespace

std::string chain_text(const Style &style, const Chain &chain, const StepNames &steps) {
  if (chain.end == ChainEnd::kNothing || chain.links.empty())
    return {};
  const std::vector<Phase> phases = phases_of(chain);
  const std::vector<std::size_t> shown = chosen(phases);
  std::string text = paint(style, Ink::kBold, wrap("", heading(chain), style.width));
  double left = chain.total_us;
  std::set<CpuIndex> others;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    if (!std::ranges::binary_search(shown, i)) {
      others.insert(phases[i].cpu);
      continue;
    }
    text += line(style, phases[i].us(), phase_text(phases[i], steps, style.width));
    left -= phases[i].us();
  }
  if (shown.size() < phases.size())
    text += line(style, std::max(left, 0.0),
                 fmt::format("in {} more stretches, of {}", phases.size() - shown.size(),
                             cpus_text({others.begin(), others.end()},
                                       static_cast<std::size_t>(std::max(style.width / 3, 12)))));
  return text;
}

std::string blame_text(const Style &style, const Scenario &scenario, const Chain &chain,
                       const Observation &seen) {
  const Blame blame = blame_of(chain, seen);
  if (blame.parts.empty())
    return {};
  constexpr std::string_view kFirst = "where it went: ";
  const std::string total = fmt::format("; {}{} in all", ms_text(blame.total_us),
                                        scenario.backend == Backend::kSim ? " of virtual time" : "");
  std::string text;
  for (std::size_t i = 0; i < blame.parts.size(); ++i) {
    const double percent = 100 * blame.parts[i].us / blame.total_us;
    const std::string part = fmt::format("{}{} {:.0f} %", i == 0 ? "" : ", ", blame.parts[i].name, percent);
    const std::string more = fmt::format(", {} more", blame.parts.size() - i);
    const std::size_t with = kFirst.size() + text.size() + part.size() + more.size() + total.size();
    if (i != 0 && (percent < 0.5 || with > static_cast<std::size_t>(style.width))) {
      text += more;
      break;
    }
    text += part;
  }
  return wrap(kFirst, text + total, style.width);
}

} // namespace reveille::vmm
