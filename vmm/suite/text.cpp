#include "vmm/suite/text.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/report/words.hpp"
#include "vmm/suite/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

constexpr std::size_t kWordWidth = 11;    // "UNSUPPORTED"
constexpr std::size_t kMostName = 60;     // columns that names are padded to
constexpr std::size_t kMostSeeds = 3;     // of a scenario's failures, in its line
constexpr std::size_t kMostFailures = 50; // in the summary
const std::string kIndent(kWordWidth + 2, ' ');

Ink ink_of(SuiteVerdict verdict) {
  switch (verdict) {
  case SuiteVerdict::kPass:
    return Ink::kGood;
  case SuiteVerdict::kUnsupported:
  case SuiteVerdict::kInterrupted:
    return Ink::kWarn;
  default:
    return Ink::kBad;
  }
}

std::string seconds_text(double seconds) { return fmt::format("{:.2f} s", seconds); }

std::string quoted_log(const std::string &log) {
  std::string text;
  for (std::size_t at = 0; at < log.size();) {
    const std::size_t end = std::min(log.find('\n', at), log.size());
    text += kIndent + "| " + printable(std::string_view(log).substr(at, end - at)) + '\n';
    at = end + 1;
  }
  return text;
}

} // namespace

std::string suite_live_line(std::size_t done, std::size_t all, std::size_t failed,
                            const std::vector<std::string> &running, int width) {
  std::string line = fmt::format("{}/{} done", done, all);
  if (failed != 0)
    line += fmt::format(", {} failed", failed);
  for (std::size_t i = 0; i < running.size(); ++i) {
    const std::string part = (i == 0 ? ", running: " : ", ") + running[i];
    // Room is kept for the mark that something was left out.
    if (line.size() + part.size() + 4 > static_cast<std::size_t>(width))
      return line + " ...";
    line += part;
  }
  return line;
}

std::string rate_text(const Counts &counts) {
  const std::string runs = counted(counts.all(), "run");
  std::string text = counts.failed() == 0 ? runs : fmt::format("{} of {} failed", counts.failed(), runs);
  for (const SuiteVerdict other : {SuiteVerdict::kUnsupported, SuiteVerdict::kInterrupted})
    if (counts.of(other) != 0)
      text += fmt::format(", {} {}", counts.of(other), row_of(other).name);
  return text;
}

SuiteText::SuiteText(const SuiteOptions &options, const std::vector<std::string> &files, const Plan &plan,
                     std::FILE *people, const Style &style, std::FILE *live, const Style &live_style)
    : options_(options), files_(files), plan_(plan), people_(people), style_(style), live_(live, live_style),
      live_width_(live_style.width) {
  for (std::size_t i = 0; i < files.size(); ++i)
    if (plan.runs_of(i) != 0)
      name_width_ = std::max(name_width_, std::min(printable(files[i]).size(), kMostName));
}

void SuiteText::started(const RunSpec &spec, const Tally &tally) {
  running_.push_back(name(spec));
  redraw(tally);
}

void SuiteText::ended(const RunSpec &spec, const Outcome &outcome, const Tally &tally) {
  if (const auto it = std::ranges::find(running_, name(spec)); it != running_.end())
    running_.erase(it);
  if (options_.repeat == 1 || has_log(outcome))
    print(run_text(spec, outcome));
  if (options_.repeat != 1 && tally.scenarios[spec.file].counts.all() == plan_.runs_of(spec.file))
    print(scenario_text(spec.file, tally));
  redraw(tally);
}

void SuiteText::finish(const Tally &tally, double seconds) {
  live_.finish();
  if (options_.repeat != 1)
    for (std::size_t file = 0; file < files_.size(); ++file)
      if (const std::size_t runs = tally.scenarios[file].counts.all();
          runs != 0 && runs != plan_.runs_of(file))
        print(scenario_text(file, tally));
  print(failures_text(tally) + summary_text(tally, seconds));
}

void SuiteText::redraw(const Tally &tally) {
  live_.draw(suite_live_line(tally.counts.all(), plan_.size(), tally.counts.failed(), running_, live_width_));
}

void SuiteText::print(const std::string &text) {
  live_.finish();
  std::fputs(text.c_str(), people_);
  std::fflush(people_);
}

std::string SuiteText::name(const RunSpec &spec) const {
  const std::string file = printable(files_[spec.file]);
  return options_.repeat == 1 ? file : fmt::format("{} (seed {})", file, spec.seed);
}

std::string SuiteText::line(SuiteVerdict verdict, std::size_t file, const std::string &note,
                            double seconds) const {
  const std::string word = fmt::format("{:<{}}", row_of(verdict).word, kWordWidth);
  return fmt::format("{}  {:<{}}  {}{:>9}\n", paint(style_, ink_of(verdict), word), printable(files_[file]),
                     name_width_, note, seconds_text(seconds));
}

std::string SuiteText::run_text(const RunSpec &spec, const Outcome &outcome) const {
  const std::string note = options_.repeat == 1 ? "" : fmt::format("seed {}  ", spec.seed);
  std::string text = line(outcome.verdict, spec.file, note, outcome.seconds);
  if (!outcome.difference.empty())
    text += wrap(kIndent, printable(outcome.difference), style_.width);
  if (has_log(outcome))
    text += quoted_log(outcome.log);
  return text;
}

std::string SuiteText::scenario_text(std::size_t file, const Tally &tally) const {
  const ScenarioTally &scenario = tally.scenarios[file];
  std::string text = line(scenario.counts.worst(), file, rate_text(scenario.counts) + "  ", scenario.seconds);
  std::size_t shown = 0;
  for (const Failure &failure : tally.failures)
    if (failure.spec.file == file && shown++ < kMostSeeds)
      text += wrap(kIndent + fmt::format("seed {}: ", failure.spec.seed), printable(failure.difference),
                   style_.width);
  if (shown > kMostSeeds)
    text += fmt::format("{}and {} more\n", kIndent, shown - kMostSeeds);
  return text;
}

std::string SuiteText::failures_text(const Tally &tally) const {
  const std::vector<const Failure *> failures = tally.failures_in_order();
  std::string text;
  for (std::size_t i = 0; i < std::min(failures.size(), kMostFailures); ++i) {
    const Failure &failure = *failures[i];
    const std::string_view word = row_of(failure.verdict).word;
    text += fmt::format("\n{}{}  {}", paint(style_, ink_of(failure.verdict), word),
                        std::string(kWordWidth - word.size(), ' '), name(failure.spec));
    text += '\n' + wrap(kIndent, printable(failure.difference), style_.width);
    // In one line, however long, so that it can be copied.
    text += fmt::format("{}again: {}\n", kIndent,
                        command_of(options_, files_[failure.spec.file], failure.spec.seed));
  }
  if (failures.size() > kMostFailures)
    text +=
        fmt::format("\nand {} more: the JSON result (--json) has them\n", failures.size() - kMostFailures);
  return text;
}

std::string SuiteText::summary_text(const Tally &tally, double seconds) const {
  if (plan_.size() == 0)
    return fmt::format("shard {}/{} has none of the {}\n", options_.shard.index, options_.shard.of,
                       counted(files_.size() * options_.repeat, "run"));
  const SuiteVerdictRow &worst = row_of(tally.verdict());
  std::string text = fmt::format("\n{}  {} in {}:", paint(style_, ink_of(worst.verdict), worst.word),
                                 counted(tally.counts.all(), "run"), seconds_text(seconds));
  const char *before = " ";
  for (const SuiteVerdictRow &row : kSuiteVerdicts)
    if (const std::size_t count = tally.counts.of(row.verdict); count != 0) {
      text += fmt::format("{}{} {}", before, count, row.name);
      before = ", ";
    }
  if (const std::size_t left = plan_.size() - tally.counts.all(); left != 0)
    text += fmt::format("{}{} not run", before, left);
  return text + '\n';
}

} // namespace reveille::vmm
