#include "vmm/report/bar.hpp"
#include "vmm/report/timeline.hpp"
#include "vmm/analysis/trail.hpp"
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
    const int left = style.width - static_cast<int>(headings_.size()) - 3;
    beside_ = left >= kLeastBar;
    bar_width_ = beside_ ? left : style.width - 9;
  }

  [[nodiscard]] std::string text() const {
    if (end_us_ <= 0) // nobody was kicked
      return table(false);
    const std::string legend = paint(style_, Ink::kDim, kBarLegend);
    return beside_ ? table(true) + legend : table(false) + "\n" + bars() + legend;
  }

private:
  void extend(std::optional<double> us) {
    if (us && is_credible(*us))
      end_us_ = std::max(end_us_, *us);
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
      text += lane(cpu) + (with_bars && cpu.cpu != 0 ? " " + bar_of(cpu) : "") + '\n';
    return text;
  }

  [[nodiscard]] std::string bars() const {
    std::string text;
    for (const CpuVerdict &cpu : verdict_.cpus)
      if (cpu.cpu != 0)
        text += fmt::format("{:>4}  {}\n", cpu.cpu, bar_of(cpu));
    return text + fmt::format("      {} to {}\n", begin_text(), ms_text(end_us_));
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
  bool beside_ = false; ///< the bars stand beside the times, not below
  int bar_width_ = 0;
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

std::string lanes_text(const Style &style, const Observation &seen, const Verdict &verdict) {
  return Lanes(style, seen, verdict).text();
}

std::string timeline_text(const Style &style, const Observation &seen, const Verdict &verdict) {
  return verdict.cpus.size() <= kMaxLanes ? lanes_text(style, seen, verdict) : groups_text(style, verdict);
}

} // namespace reveille::vmm
