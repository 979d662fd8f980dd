#include "vmm/analysis/latencies.hpp"
#include "vmm/analysis/trail.hpp"
#include "vmm/base/printable.hpp"
#include "vmm/report/bar.hpp"
#include "vmm/report/timeline.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

constexpr int kLeastBar = 16; ///< narrower than that a bar shows nothing

/// What stands in the outcome column.
std::string outcome_text(const CpuVerdict &cpu) {
  return cpu.outcome == CpuOutcome::kFailed ? printable(cpu.reason) : std::string(name(cpu.outcome));
}

Ink ink_of(CpuOutcome outcome) {
  switch (outcome) {
  case CpuOutcome::kOnline:
    return Ink::kGood;
  case CpuOutcome::kFailed:
    return Ink::kBad;
  case CpuOutcome::kNotAttempted:
    break;
  }
  return Ink::kDim;
}

/// The lanes of one report: what they have in common.
class Lanes {
public:
  Lanes(const Style &style, const Observation &seen, const Verdict &verdict)
      : style_(style), verdict_(verdict), decided_(decisions(seen)) {
    for (const CpuVerdict &cpu : verdict.cpus) {
      outcome_width_ = std::max(outcome_width_, outcome_text(cpu).size());
      extend(cpu.points.kick);
      for (const auto &arrived : cpu.points.arrived)
        extend(arrived);
    }
    extend_to_giving_up();
    const std::vector<double> cycles = cycle_beginnings(seen);
    if (cycles.size() > 1 && is_credible(cycles.back()) && cycles.back() < end_us_)
      begin_us_ = cycles.back();
    headings_ =
        fmt::format("{:>4} {:<{}} {:>3}{}", "CPU", "outcome", outcome_width_, "try", point_headings());
    bar_width_ = style.width - static_cast<int>(headings_.size()) - 3;
  }

  [[nodiscard]] std::string text() const {
    const bool with_bars = bar_width_ >= kLeastBar && end_us_ > 0; // nobody was kicked
    return table(with_bars) + latencies_text(style_, verdict_, headings_.size() - point_headings().size()) +
           (with_bars ? legend() : "");
  }

private:
  void extend(std::optional<double> us) {
    if (us && is_credible(*us))
      end_us_ = std::max(end_us_, *us);
  }

  [[nodiscard]] std::string legend() const {
    const bool gave_one_up = std::ranges::any_of(
        verdict_.cpus, [this](const CpuVerdict &cpu) { return gave_up(cpu).has_value(); });
    return paint(style_, Ink::kDim, kBarLegend) +
           (gave_one_up ? paint(style_, Ink::kDim, kGaveUpLegend) : "");
  }

  /// A timeout can be so much longer than the rest that nothing else would be seen.
  void extend_to_giving_up() {
    double last = 0;
    for (const CpuVerdict &cpu : verdict_.cpus)
      if (const auto us = gave_up(cpu); us && is_credible(*us))
        last = std::max(last, *us);
    end_us_ = last > 2 * end_us_ && end_us_ > 0 ? 1.25 * end_us_ : std::max(end_us_, last);
  }

  [[nodiscard]] std::optional<double> gave_up(const CpuVerdict &cpu) const {
    return cpu.outcome == CpuOutcome::kFailed && cpu.cpu < decided_.size() ? decided_[cpu.cpu] : std::nullopt;
  }

  [[nodiscard]] std::string bar_of(const CpuVerdict &cpu) const {
    return fmt::format("|{}|", bar(cpu.points, gave_up(cpu), begin_us_, end_us_, bar_width_));
  }

  /// The control CPU brings itself nowhere; that it was there all the time goes without saying.
  [[nodiscard]] bool has_lane(const CpuVerdict &cpu) const {
    return cpu.cpu != 0 || cpu.outcome != CpuOutcome::kOnline || verdict_.cpus.size() == 1;
  }

  [[nodiscard]] std::string lane(const CpuVerdict &cpu) const {
    const std::string outcome = fmt::format("{:<{}}", outcome_text(cpu), outcome_width_);
    std::string text = fmt::format("{:>4} {}", cpu.cpu, paint(style_, ink_of(cpu.outcome), outcome));
    if (cpu.cpu == 0)
      return text + fmt::format(" {:>3}  (the control CPU)", "-");
    text += fmt::format(" {:>3}{}", cpu.attempts, point_cell(cpu.points.kick));
    for (const auto &arrived : cpu.points.arrived)
      text += point_cell(arrived);
    return text;
  }

  [[nodiscard]] std::string table(bool with_bars) const {
    const std::string begin = begin_text();
    std::string scale =
        with_bars ? fmt::format(" |{:<{}.{}}|", begin, bar_width_, bar_width_) : std::string{};
    const std::string end = ms_text(end_us_);
    if (with_bars && begin.size() + end.size() + 1 < static_cast<std::size_t>(bar_width_))
      scale.replace(scale.size() - 1 - end.size(), end.size(), end);
    std::string text = paint(style_, Ink::kBold, headings_ + scale) + '\n';
    for (const CpuVerdict &cpu : verdict_.cpus)
      if (has_lane(cpu))
        text += lane(cpu) + (with_bars && cpu.cpu != 0 ? " " + bar_of(cpu) : "") + '\n';
    return text;
  }

  /// Bars are of the last cycle.
  [[nodiscard]] std::string begin_text() const { return begin_us_ > 0 ? ms_figure(begin_us_) : "0"; }

  const Style &style_;
  const Verdict &verdict_;
  std::vector<std::optional<double>> decided_;
  std::size_t outcome_width_ = 7;
  double begin_us_ = 0;
  double end_us_ = 0;
  std::string headings_;
  int bar_width_ = 0; ///< what the times leave
};

} // namespace

std::string point_headings() {
  std::string text = fmt::format(" {:>7}", "kick");
  for (const protocol::PointRow &point : protocol::kPoints)
    text += fmt::format(" {:>7}", point.name);
  return text;
}

std::string point_cell(std::optional<double> us) {
  return fmt::format(" {:>7}", !us ? "-" : is_credible(*us) ? ms_figure(*us) : "?");
}

std::string latencies_text(const Style &style, const Verdict &verdict, std::size_t label) {
  const Latencies latencies = latencies_of(verdict);
  if (latencies.ways[0].count < 2)
    return {};
  const auto row = [&](std::string_view what, auto &&cell) {
    std::string text = fmt::format("{:>{}} {:>7}", what, label, "");
    for (const Spread &way : latencies.ways)
      text += way.count == 0 ? point_cell(std::nullopt) : cell(way);
    return text + '\n';
  };
  const auto time = [](double Spread::*value) {
    return [value](const Spread &way) { return point_cell(way.*value); };
  };
  return paint(style, Ink::kDim, row("took least", time(&Spread::min))) +
         paint(style, Ink::kDim, row("median", time(&Spread::median))) + row("most", time(&Spread::max)) +
         row("by CPU", [](const Spread &way) { return fmt::format(" {:>7}", way.max_cpu); });
}

std::string lanes_text(const Style &style, const Observation &seen, const Verdict &verdict) {
  return Lanes(style, seen, verdict).text();
}

std::string timeline_text(const Style &style, const Observation &seen, const Verdict &verdict) {
  return verdict.cpus.size() <= kMaxLanes ? lanes_text(style, seen, verdict) : groups_text(style, verdict);
}

} // namespace reveille::vmm
