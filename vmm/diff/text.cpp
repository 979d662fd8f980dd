#include "vmm/diff/text.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMostCpus = 60;        // characters of a list of CPUs
constexpr std::size_t kMostGroups = 50;      // lines of changes of one kind
constexpr std::size_t kMostDifferences = 10; // of those that the result after has
constexpr double kNoticeable = 0.05;         // percent: what is less is not told as a change

std::string heading(const Style &style, std::string_view text) {
  return fmt::format("\n{}\n", paint(style, Ink::kBold, text));
}

std::string percent_text(std::optional<double> percent) {
  if (!percent)
    return "-";
  if (std::abs(*percent) < kNoticeable)
    return "same";
  return std::abs(*percent) >= 1000 ? fmt::format("x{:.0f}", *percent / 100 + 1)
                                    : fmt::format("{:+.1f} %", *percent);
}

std::string upper(std::string text) {
  for (char &c : text)
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

Ink ink_of(std::string_view word) {
  if (word == "online" || word == "pass" || word == "holds")
    return Ink::kGood;
  return word == "not judged" || word == "not-attempted" || word == "not in the result" ? Ink::kWarn
                                                                                        : Ink::kBad;
}

std::string arrow(const Style &style, const std::string &before, const std::string &after) {
  return fmt::format("{} -> {}", paint(style, ink_of(before), printable(before)),
                     paint(style, ink_of(after), printable(after)));
}

std::string settings_text(const std::vector<NamedChange> &settings) {
  std::string text;
  for (const NamedChange &change : settings)
    text += fmt::format("  {:<9} {} -> {}\n", change.name, printable(change.before), printable(change.after));
  return text;
}

std::string cpu_changes_text(const Style &style, const std::vector<CpuChange> &changes, bool coloured) {
  std::string text;
  for (std::size_t i = 0; i < std::min(changes.size(), kMostGroups); ++i) {
    const CpuChange &change = changes[i];
    text += fmt::format("  {}: {}\n", cpus_text(change.cpus, kMostCpus),
                        coloured ? arrow(style, change.before, change.after)
                                 : printable(change.before) + " -> " + printable(change.after));
  }
  if (changes.size() > kMostGroups)
    text += fmt::format("  and {} more\n", changes.size() - kMostGroups);
  return text;
}

std::string outcomes_text(const Style &style, const RunResult &before, const RunResult &after,
                          const Comparison &made) {
  std::string text = heading(style, "outcomes");
  if (made.outcomes.empty())
    text += fmt::format("  the same of {}\n", counted(after.cpus.size(), "CPU"));
  text += cpu_changes_text(style, made.outcomes, true);
  text += cpu_changes_text(style, made.attempts, false);
  text += cpu_changes_text(style, made.faults, false);
  text += made.verdict ? fmt::format("  verdict: {} -> {}\n",
                                     paint(style, ink_of(before.verdict), upper(before.verdict)),
                                     paint(style, ink_of(after.verdict), upper(after.verdict)))
                       : fmt::format("  verdict: {}, as before\n",
                                     paint(style, ink_of(after.verdict), upper(after.verdict)));
  if (after.differences != before.differences)
    for (std::size_t i = 0; i < std::min(after.differences.size(), kMostDifferences); ++i)
      text += wrap("    ", printable(after.differences[i]), style.width);
  return text;
}

std::string invariants_text(const Style &style, const std::vector<NamedChange> &changes) {
  if (changes.empty())
    return {};
  std::string text = heading(style, "invariants");
  for (std::size_t i = 0; i < std::min(changes.size(), kMostGroups); ++i) {
    const NamedChange &change = changes[i];
    text += fmt::format("  {}: {}\n", printable(change.name), arrow(style, change.before, change.after));
    if (!change.evidence.empty())
      text += wrap("    ", printable(change.evidence), style.width);
  }
  if (changes.size() > kMostGroups)
    text += fmt::format("  and {} more\n", changes.size() - kMostGroups);
  return text;
}

/// Median, least..most.
std::string spread_text(const Spread &spread) {
  if (spread.count == 0)
    return fmt::format("{:>7}  {:<16}", "-", "");
  return fmt::format("{:>7}  {:<16}", ms_figure(spread.median),
                     ms_figure(spread.min) + ".." + ms_figure(spread.max));
}

std::string beyond_text(const Style &style, const PointChange &change) {
  const auto beyond = change.is_beyond();
  if (!beyond)
    return "one CPU has none";
  if (!*beyond)
    return "no";
  const bool slower = change.after.median > change.before.median;
  return paint(style, slower ? Ink::kWarn : Ink::kGood, slower ? "slower" : "faster");
}

std::string points_text(const Style &style, const std::vector<PointChange> &points) {
  if (points.empty())
    return {};
  std::string text = heading(style, "times to each point from the one before, ms");
  text += fmt::format("  {:<8} {:>7}  {:<16}  {:>7}  {:<16} {:>8} {:>9}  {}\n", "", "before", "least..most",
                      "after", "least..most", "most by", "change", "beyond the spread");
  for (const PointChange &change : points) {
    const std::string by = change.after.count == 0 ? "-" : fmt::format("CPU {}", change.after.max_cpu);
    text += fmt::format("  {:<8} {}  {} {:>8} {:>9}  {}\n", change.point, spread_text(change.before),
                        spread_text(change.after), by, percent_text(change.percent()),
                        beyond_text(style, change));
  }
  return text;
}

std::string figure(std::optional<double> us) { return us ? ms_figure(*us) : "-"; }

std::string row_text(std::string_view what, std::optional<double> before, std::optional<double> after) {
  return fmt::format("  {:<18} {:>8} {:>8}  {:>9}\n", what, figure(before), figure(after),
                     percent_text(percent_of(before, after)));
}

std::string whole_text(const Style &style, const RunResult &before, const RunResult &after) {
  return heading(style, "the whole run, ms") + fmt::format("  {:<18} {:>8} {:>8}\n", "", "before", "after") +
         row_text("create", before.create_us, after.create_us) +
         row_text("last CPU active", before.bringup_us, after.bringup_us) +
         row_text("last CPU decided", before.decided_us, after.decided_us) +
         row_text("total", before.total_us, after.total_us);
}

std::string cpu_of(const std::optional<LastActive> &last) {
  return last ? fmt::format("CPU {}", last->cpu) : "none";
}

/// What came after the last CPU was active: those that failed.
std::string decided_later_text(std::string_view when, const RunResult &run,
                               const std::optional<LastActive> &last, int width) {
  std::vector<CpuIndex> failed;
  for (const CpuVerdict &cpu : run.cpus)
    if (cpu.outcome == CpuOutcome::kFailed)
      failed.push_back(cpu.cpu);
  if (failed.empty() || !run.decided_us || (last && *run.decided_us <= last->active_us))
    return {};
  return wrap("  ",
              fmt::format("{}: the last CPU was decided {} later, at {}; failed: {}", when,
                          ms_text(*run.decided_us - (last ? last->active_us : 0)), ms_text(*run.decided_us),
                          cpus_text(failed, kMostCpus)),
              width);
}

std::string last_active_text(const Style &style, const RunResult &before, const RunResult &after,
                             const Comparison &made) {
  if (!made.last_before && !made.last_after)
    return {};
  const auto &was = made.last_before;
  const auto &is = made.last_after;
  std::string text =
      heading(style, "what decided, as far as results tell: the way of the CPU that was active last, ms");
  text += fmt::format("  {:<18} {:>8} {:>8}\n", "", cpu_of(was), cpu_of(is));
  for (std::size_t i = 0; i <= protocol::kPointCount; ++i)
    text += row_text(i == 0 ? "before its kick" : fmt::format("to {}", protocol::kPoints[i - 1].name),
                     was ? was->stretches[i] : std::nullopt, is ? is->stretches[i] : std::nullopt);
  text += row_text("active at", was ? std::optional(was->active_us) : std::nullopt,
                   is ? std::optional(is->active_us) : std::nullopt);
  text += decided_later_text("before", before, was, style.width);
  text += decided_later_text("after", after, is, style.width);
  return text +
         wrap("  ",
              "Waits for the control CPU are in these figures: a result says when a CPU was at a point, "
              "not whom it waited for. vmm run prints that, and --report draws it.",
              style.width);
}

/// The time to the last active CPU of all runs of one scenario.
struct Together {
  std::string_view scenario;
  std::vector<double> before;
  std::vector<double> after;
};

std::optional<double> median_of(std::vector<double> &times) {
  if (times.empty())
    return std::nullopt;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>((times.size() - 1) / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

std::string together_text(const Style &style, std::vector<Together> &scenarios) {
  if (scenarios.empty())
    return {};
  std::string text = heading(style, "to the last active CPU, ms (median of the runs of a scenario)");
  text += fmt::format("  {:>8} {:>8}  {:>9}\n", "before", "after", "change");
  for (Together &row : scenarios) {
    const auto was = median_of(row.before);
    const auto is = median_of(row.after);
    text += fmt::format("  {:>8} {:>8}  {:>9}  {}\n", figure(was), figure(is),
                        percent_text(percent_of(was, is)), printable(row.scenario));
  }
  return text;
}

std::string run_name(const RunResult &run) {
  return fmt::format("{} (seed {})", printable(run.scenario), run.seed);
}

std::vector<const RunResult *> by_name(const std::vector<RunResult> &runs) {
  std::vector<const RunResult *> list;
  list.reserve(runs.size());
  for (const RunResult &run : runs)
    list.push_back(&run);
  std::ranges::sort(list, [](const RunResult *a, const RunResult *b) {
    return a->scenario != b->scenario ? a->scenario < b->scenario : a->seed < b->seed;
  });
  return list;
}

} // namespace

std::string comparison_text(const Style &style, const RunResult &before, const RunResult &after,
                            const Comparison &comparison) {
  return settings_text(comparison.settings) + outcomes_text(style, before, after, comparison) +
         invariants_text(style, comparison.invariants) + points_text(style, comparison.points) +
         whole_text(style, before, after) + last_active_text(style, before, after, comparison);
}

SuiteComparison compare_suites(const Style &style, const ResultFile &before, const ResultFile &after) {
  const auto was = by_name(before.runs);
  const auto is = by_name(after.runs);
  std::vector<Together> times;
  std::string differ;
  std::string alone;
  std::size_t differing = 0;
  std::size_t same = 0;
  const auto tell_alone = [&](const RunResult &run, std::string_view when) {
    alone += fmt::format("  {}: only {}, {}\n", run_name(run), when, upper(run.verdict));
  };
  const auto pair = [&](const RunResult &b, const RunResult &a) {
    if (times.empty() || times.back().scenario != b.scenario)
      times.push_back({b.scenario, {}, {}});
    if (b.bringup_us)
      times.back().before.push_back(*b.bringup_us);
    if (a.bringup_us)
      times.back().after.push_back(*a.bringup_us);
    const Comparison made = compare(b, a);
    if (!made.outcome_differs()) {
      ++same;
      return;
    }
    ++differing;
    differ += heading(style, "== " + run_name(a)) + comparison_text(style, b, a, made);
  };
  auto b = was.begin();
  auto a = is.begin();
  const auto earlier = [](const RunResult &x, const RunResult &y) {
    return x.scenario != y.scenario ? x.scenario < y.scenario : x.seed < y.seed;
  };
  while (b != was.end() || a != is.end()) {
    if (a == is.end() || (b != was.end() && earlier(**b, **a)))
      tell_alone(**b++, "before");
    else if (b == was.end() || earlier(**a, **b))
      tell_alone(**a++, "after");
    else
      pair(**b++, **a++);
  }
  std::string text = differ;
  if (!alone.empty())
    text += heading(style, "in one of the two only") + alone;
  text += together_text(style, times);
  text += fmt::format("\n{} compared: {} with another outcome, {} with the same; {} in one of the two only\n",
                      counted(differing + same, "run"), differing, same,
                      was.size() + is.size() - 2 * (differing + same));
  return {std::move(text), differing != 0 || !alone.empty()};
}

} // namespace reveille::vmm
