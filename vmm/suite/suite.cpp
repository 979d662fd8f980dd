#include "vmm/suite/suite.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/html/page.hpp"
#include "vmm/scenario/bound.hpp"
#include "vmm/scenario/load.hpp"
#include "vmm/suite/command_line.hpp"
#include "vmm/suite/document.hpp"
#include "vmm/suite/find.hpp"
#include "vmm/suite/junit.hpp"
#include "vmm/suite/page.hpp"
#include "vmm/suite/tap.hpp"
#include "vmm/suite/text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

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

/// What is kept of each run until the suite is over, as far as somebody asked for it.
struct Kept {
  std::optional<Spool> results;
  std::optional<JunitFile> junit;
  std::optional<TapFile> tap;

  [[nodiscard]] static Result<Kept> create(const SuiteOptions &options) {
    Kept kept;
    Result<void> made;
    const auto take = [&made](const std::string &path, auto &into, auto &&create) {
      if (path.empty() || !made)
        return;
      if (auto file = create())
        into = std::move(*file);
      else
        made = tl::unexpected(file.error());
    };
    take(options.json, kept.results, &Spool::create);
    take(options.junit, kept.junit, &JunitFile::create);
    take(options.tap, kept.tap, &TapFile::create);
    return made.map([&] { return std::move(kept); });
  }
};

Result<void> create_folder_of(std::string_view option, const std::string &file) {
  const auto folder = std::filesystem::path(file).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return fail(ExitStatus::kUsage,
                fmt::format("{}: cannot create the folder {}: {}", option, folder.string(), error.message()));
  return {};
}

/// What the suite's own files must not be written over.
std::vector<Input> others(const SuiteOptions &options, const std::vector<std::string> &files) {
  std::vector<Input> inputs;
  for (const std::string &file : files) {
    inputs.push_back({file, "a scenario of the suite"});
    if (!options.trace.empty())
      inputs.push_back({trace_file(options, file, options.seed), "the trace of a run"});
    if (!options.report.empty())
      inputs.push_back({page_file(options, file, options.seed), "the page of a run"});
  }
  return inputs;
}

/// Folders for the traces and the pages.
Result<void> create_folders(const SuiteOptions &options, const std::vector<std::string> &files) {
  Result<void> made;
  for (const std::string &file : files) {
    if (!options.trace.empty() && made)
      made = create_folder_of("--trace", trace_file(options, file, options.seed));
    if (!options.report.empty() && made)
      made = create_folder_of("--report", page_file(options, file, options.seed));
  }
  return made;
}

/// The runs of a suite as they are started and as they end.
class Suite {
public:
  Suite(const SuiteOptions &options, const std::vector<std::string> &files, Kept kept)
      : options_(options), files_(files), results_(std::move(kept.results)), junit_(std::move(kept.junit)),
        tap_(std::move(kept.tap)), plan_(files.size(), options.seed, options.repeat, options.shard),
        tally_(files.size()),
        people_(options.json == "-" || options.junit == "-" || options.tap == "-" ? stderr : stdout),
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
    if (const std::string without = page_.without_page(); !without.empty())
      fmt::print(people_, "{}\n", without);
    ExitStatus status = row_of(tally_.verdict()).exit;
    const auto note = [&status](const Result<void> &written) {
      if (written)
        return;
      fmt::print(stderr, "vmm suite: {}\n", printable(written.error().message));
      status = worse_of(status, written.error().status);
    };
    note(kept_); // if not, they are not all there
    if (results_ && kept_)
      note(write_suite_json(options_.json, *results_,
                            suite_summary_json(options_, files_, tally_, plan_.size(), seconds)));
    if (junit_ && kept_)
      note(junit_->write(options_, seconds));
    if (tap_ && kept_)
      note(tap_->write(options_, plan_.size()));
    if (!options_.report.empty())
      note(page_.write(options_, tally_, plan_.size(), seconds));
    return status;
  }

private:
  /// Gives the next run, unless it cannot begin: that one is over at once.
  bool next(std::optional<Job> &job) {
    if (next_ == plan_.size())
      return false;
    const std::size_t run = next_++;
    const RunSpec spec = plan_.at(run);
    const std::string &file = files_[spec.file];
    RunName name{.file = file, .title = default_title(file), .seed = spec.seed, .backend = options_.backend};
    if (!options_.report.empty()) { // what is there after the run is then the run's
      std::error_code error;
      std::filesystem::remove(page_file(options_, file, spec.seed), error);
    }
    const auto scenario = load_file(options_, file, spec.seed);
    text_.started(spec, tally_);
    if (!scenario) {
      ended(run, name, outcome_of(name, scenario.error()));
      return true;
    }
    name = run_name(*scenario);
    started_.emplace(run, std::move(name));
    job = {
        .id = run, .arguments = arguments_of(options_, file, spec.seed), .bound_ms = run_bound_ms(*scenario)};
    if (!options_.report.empty() && scenario->machine.vcpus <= kMostPageCpus)
      job->arguments.insert(job->arguments.end(), {"--report", page_file(options_, file, spec.seed)});
    else if (!options_.report.empty())
      page_.note_too_large();
    return true;
  }

  void ended(std::size_t run, const RunName &name, const Outcome &outcome) {
    const RunSpec spec = plan_.at(run);
    tally_.add(run, spec, outcome);
    if (results_ && kept_)
      kept_ = results_->add(run, outcome.json);
    if (junit_ && kept_)
      kept_ = junit_->add(run, options_, name, outcome);
    if (tap_ && kept_)
      kept_ = tap_->add(run, options_, name, outcome);
    if (!options_.report.empty())
      page_.add(options_, name, outcome);
    text_.ended(spec, outcome, tally_);
  }

  const SuiteOptions &options_;
  const std::vector<std::string> &files_;
  std::optional<Spool> results_; ///< empty: nobody asked for them
  std::optional<JunitFile> junit_;
  std::optional<TapFile> tap_;
  SuitePage page_; ///< empty where nobody asked for it
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
  fmt::print(stderr, "vmm suite: {}\n", printable(error.message));
  return static_cast<int>(error.status);
}

} // namespace

int suite_command(const SuiteOptions &options) {
  const auto files = find_scenarios(options.paths);
  if (!files)
    return refuse(files.error());
  if (const auto kept = check_kept(options.outputs(), others(options, *files)); !kept)
    return refuse(kept.error());
  if (const auto room = Runner::make_room(options.runner.jobs); !room)
    return refuse(room.error());
  if (const auto folders = create_folders(options, *files); !folders)
    return refuse(folders.error());
  auto kept = Kept::create(options);
  if (!kept)
    return refuse(kept.error());
  Suite suite(options, *files, std::move(*kept));
  suite.run();
  return static_cast<int>(suite.finish());
}

} // namespace reveille::vmm
