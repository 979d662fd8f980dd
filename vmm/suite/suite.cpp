#include "vmm/suite/suite.hpp"

#include "vmm/scenario/bound.hpp"
#include "vmm/scenario/load.hpp"
#include "vmm/suite/command_line.hpp"
#include "vmm/suite/document.hpp"
#include "vmm/suite/find.hpp"
#include "vmm/suite/junit.hpp"
#include "vmm/suite/text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <map>

namespace reveille::vmm {
namespace {

using Clock = std::chrono::steady_clock;

/// Reads a scenario that a process will read again: not a pipe, which could be read only once.
Result<Scenario> load_file(const SuiteOptions &options, const std::string &file, std::uint64_t seed) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    return fail(ExitStatus::kUsage, fmt::format("{}: not a regular file", file));
  return load_scenario(file, {.overrides = options.sets, .seed = seed, .backend = options.backend});
}

/// The runs of a suite as they are started and as they end.
class Suite {
public:
  Suite(const SuiteOptions &options, const std::vector<std::string> &files, Spool *results, JunitFile *junit)
      : options_(options), files_(files), results_(results), junit_(junit),
        plan_(files.size(), options.seed, options.repeat, options.shard), tally_(files.size()),
        people_(options.json == "-" || options.junit == "-" ? stderr : stdout),
        text_(options, files, plan_, people_, Style::for_stream(people_), stderr, Style::for_stream(stderr)) {
  }

  void run() {
    Runner runner(options_.runner);
    tally_.interrupted = runner.run([this](std::optional<Job> &job) { return next(job); },
                                    [this](std::size_t run, JobEnd end) {
                                      const auto it = started_.find(run);
                                      const RunName name = std::move(it->second);
                                      started_.erase(it);
                                      ended(run, name, outcome_of(name, std::move(end)));
                                    });
  }

  /// Tells the end of it. Returns the exit status.
  ExitStatus finish() {
    const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    text_.finish(tally_, seconds);
    auto written = std::move(kept_);
    if (results_ != nullptr && written)
      written = write_suite_json(options_.json, *results_,
                                 suite_summary_json(options_, files_, tally_, plan_.size(), seconds));
    if (junit_ != nullptr && written)
      written = junit_->write(options_, seconds);
    if (written)
      return row_of(tally_.verdict()).exit;
    fmt::print(stderr, "vmm suite: {}\n", written.error().message);
    return written.error().status;
  }

private:
  /// Gives the next run, unless it cannot begin: that one is over at once.
  bool next(std::optional<Job> &job) {
    if (next_ == plan_.size())
      return false;
    const std::size_t run = next_++;
    const RunSpec spec = plan_.at(run);
    const std::string &file = files_[spec.file];
    RunName name{.file = file,
                 .title = std::filesystem::path(file).filename().string(),
                 .seed = spec.seed,
                 .backend = std::string(vmm::name(options_.backend))};
    const auto scenario = load_file(options_, file, spec.seed);
    text_.started(spec, tally_);
    if (!scenario) {
      ended(run, name, outcome_of(name, scenario.error()));
      return true;
    }
    name.title = scenario->title;
    started_.emplace(run, std::move(name));
    job = {
        .id = run, .arguments = arguments_of(options_, file, spec.seed), .bound_ms = run_bound_ms(*scenario)};
    return true;
  }

  void ended(std::size_t run, const RunName &name, const Outcome &outcome) {
    const RunSpec spec = plan_.at(run);
    tally_.add(run, spec, outcome);
    if (results_ != nullptr && kept_)
      kept_ = results_->add(run, outcome.json);
    if (junit_ != nullptr && kept_)
      kept_ = junit_->add(run, options_, name, outcome);
    text_.ended(spec, outcome, tally_);
  }

  const SuiteOptions &options_;
  const std::vector<std::string> &files_;
  Spool *results_;   ///< null: nobody asked for them
  JunitFile *junit_; ///< the same
  Plan plan_;
  Tally tally_;
  std::FILE *people_;
  SuiteText text_;
  std::size_t next_ = 0;
  std::map<std::size_t, RunName> started_; ///< by their index, until they end
  Result<void> kept_;                      ///< of all results so far
  Clock::time_point began_ = Clock::now();
};

int refuse(const Error &error) {
  fmt::print(stderr, "vmm suite: {}\n", error.message);
  return static_cast<int>(error.status);
}

} // namespace

int suite_command(const SuiteOptions &options) {
  const auto files = find_scenarios(options.paths);
  if (!files)
    return refuse(files.error());
  std::optional<Spool> results;
  if (!options.json.empty()) {
    auto spool = Spool::create();
    if (!spool)
      return refuse(spool.error());
    results = std::move(*spool);
  }
  std::optional<JunitFile> junit;
  if (!options.junit.empty()) {
    auto file = JunitFile::create();
    if (!file)
      return refuse(file.error());
    junit = std::move(*file);
  }
  Suite suite(options, *files, results ? &*results : nullptr, junit ? &*junit : nullptr);
  suite.run();
  return static_cast<int>(suite.finish());
}

} // namespace reveille::vmm
