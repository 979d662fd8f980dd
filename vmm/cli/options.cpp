#include "vmm/cli/options.hpp"

#include "vmm/cli/footers.hpp"
#include "vmm/cli/spec.hpp"
#include "vmm/scenario/nearest.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>
#include <spdlog/common.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <span>

namespace reveille::vmm {
namespace {

/// Options that only `suite` has.
constexpr std::array<std::string_view, 5> kSuiteOptions{"--shard", "--repeat", "--jobs,-j", "--tap",
                                                        "--fresh"};

constexpr std::uint64_t kMostJobs = 256;
constexpr std::uint64_t kMostShards = 1'000'000;
constexpr std::uint64_t kMostRepeats = 1'000'000;

void add_sets(CLI::App &app, std::vector<std::string> &sets) {
  app.add_option("--set", sets, "Change a key of the scenario, e.g. bringup.timeout_ms=300 or fault.0.cpu=3")
      ->type_name("KEY=VALUE")
      ->expected(1, 1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

/// Options that are known, in order to say why they are not taken.
void add_hidden(CLI::App &app, std::span<const std::string_view> names, std::string &unused) {
  for (const std::string_view name : names)
    app.add_option(std::string(name), unused)->expected(0, 1)->group("");
}

/// What the parser did not know: an option that does not exist, or a word too many.
std::string complaint_about(const CLI::App &app, const std::string &word) {
  if (word.size() < 2 || word.front() != '-')
    return fmt::format("\"{}\" is one argument too many", word);
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string_view> names;
  for (const CLI::Option *option : app.get_options())
    if (!option->get_group().empty() && !option->get_lnames().empty())
      names.push_back(option->get_lnames().front());
  std::string_view bare = name;
  bare.remove_prefix(std::min(bare.find_first_not_of('-'), bare.size()));
  const std::string_view near = nearest(bare, names);
  return fmt::format("unknown option {}{}", name,
                     near.empty() ? std::string{} : fmt::format("; did you mean \"--{}\"?", near));
}

/// The option that was given an empty value, as a shell makes of a variable that is not set; empty: none.
std::string given_nothing(const CLI::App &app) {
  for (const CLI::Option *option : app.get_options())
    if (!option->get_positional() && std::ranges::count(option->results(), std::string{}) != 0)
      return option->get_name();
  return {};
}

/// Whether to go on: help has been asked for, and printed, when not.
Result<bool> parse(CLI::App &app, const Arguments &arguments) {
  app.set_help_flag("-h,--help", "Print this and exit");
  if (tell_spec(app))
    return false;
  app.allow_extras();
  try {
    app.parse(Arguments(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp &) {
    fmt::print("{}", app.help());
    return false;
  } catch (const CLI::ArgumentMismatch &error) {
    const std::string_view text = error.what(); // "--seed: 1 required N missing"
    const std::string name(text.substr(0, text.find(':')));
    const CLI::Option *option = app.get_option_no_throw(name);
    const bool too_often = option != nullptr && option->count() > 1;
    return fail(ExitStatus::kUsage,
                fmt::format("{} {}", name, too_often ? "is given more than once" : "needs a value"));
  } catch (const CLI::ParseError &error) {
    return fail(ExitStatus::kUsage, error.what());
  }
  if (const Arguments extra = app.remaining(); !extra.empty())
    return fail(ExitStatus::kUsage, complaint_about(app, extra.front()));
  if (const std::string name = given_nothing(app); !name.empty())
    return fail(ExitStatus::kUsage, fmt::format("{} needs a value, and was given an empty one", name));
  return true;
}

/// A number that is the whole text.
std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && number >= least && number <= most ? std::optional(number) : std::nullopt;
}

Result<std::uint64_t> parse_number(std::string_view name, const std::string &text, std::uint64_t least,
                                   std::uint64_t most) {
  if (const auto number = number_in(text, least, most))
    return *number;
  return fail(ExitStatus::kUsage,
              fmt::format("{}: \"{}\" is not a number from {} to {}", name, text, least, most));
}

Result<std::uint64_t> parse_seed(const std::string &text) {
  return parse_number("--seed", text, 0, UINT64_MAX);
}

Result<Shard> parse_shard(const std::string &text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto of = number_in(std::string_view(text).substr(std::min(slash + 1, text.size())), 1, kMostShards);
  const auto index = of ? number_in(std::string_view(text).substr(0, slash), 1, *of) : std::nullopt;
  if (index)
    return Shard{.index = *index, .of = *of};
  return fail(
      ExitStatus::kUsage,
      fmt::format("--shard: \"{}\" is not I/N, the I-th of N parts: 1/4, 2/4, 3/4 or 4/4, say", text));
}

Result<void> check_log_level(const std::string &level) {
  const auto levels = values_called("LEVEL");
  if (std::ranges::find(levels, level) != levels.end())
    return {};
  return fail(ExitStatus::kUsage,
              fmt::format("--log-level: unknown level \"{}\"{}", level, suggestion(level, levels)));
}

void add_backend(CLI::App &app, std::string &backend) {
  app.add_option("--backend", backend, "kvm (default), or sim: simulated CPUs, in virtual time")
      ->type_name("BACKEND");
}

Result<Backend> parse_backend(const std::string &text) {
  for (const Backend backend : {Backend::kKvm, Backend::kSim})
    if (text == name(backend))
      return backend;
  return fail(ExitStatus::kUsage, fmt::format("--backend: unknown backend \"{}\"; kvm or sim", text));
}

Result<void> check_guest(Backend backend, const std::string &guest) {
  if (backend == Backend::kSim && !guest.empty())
    return fail(ExitStatus::kUsage, "--guest: a simulated machine boots no image");
  return {};
}

/// What of a run's options CLI11 cannot hold against a type.
struct RunTexts {
  std::string seed;
  std::string backend = "kvm";
};

Result<void> check_run(const CLI::App &app, const RunTexts &texts, RunArguments &run) {
  for (const std::string_view names : kSuiteOptions)
    if (const auto name = names.substr(0, names.find(',')); app.count(std::string(name)) != 0)
      return fail(ExitStatus::kUsage, fmt::format("{} is an option of vmm suite", name));
  if (run.file.empty())
    return fail(ExitStatus::kUsage, "which scenario? Give a file, or - for standard input");
  if (!texts.seed.empty()) {
    const auto seed = parse_seed(texts.seed);
    if (!seed)
      return tl::unexpected(seed.error());
    run.seed = *seed;
  }
  if (auto level = check_log_level(run.log_level); !level)
    return level;
  const auto backend = parse_backend(texts.backend);
  if (!backend)
    return tl::unexpected(backend.error());
  run.backend = *backend;
  return check_guest(run.backend, run.guest);
}

/// What of a suite's options CLI11 cannot hold against a type.
struct SuiteTexts {
  std::string jobs = "1";
  std::string shard = "1/1";
  std::string repeat = "1";
  std::string seed = "0";
  std::string backend = "kvm";
};

/// A folder is asked for where a run has a file.
Result<void> check_trace_folder(const std::string &path) {
  std::error_code error;
  const bool is_file = std::filesystem::exists(path, error) && !std::filesystem::is_directory(path, error);
  if (path == "-" || path.ends_with(".json") || path.ends_with(".txt") || is_file)
    return fail(ExitStatus::kUsage,
                fmt::format("--trace: vmm suite writes a file for each run; give a folder, not {}", path));
  return {};
}

Result<void> check_suite(const SuiteTexts &texts, SuiteOptions &suite) {
  if (suite.paths.empty())
    return fail(ExitStatus::kUsage, "which scenarios? Give files, or folders of them");
  const auto jobs = parse_number("-j", texts.jobs, 1, kMostJobs);
  const auto repeat = parse_number("--repeat", texts.repeat, 1, kMostRepeats);
  const auto seed = parse_seed(texts.seed);
  for (const auto *number : {&jobs, &repeat, &seed})
    if (!*number)
      return tl::unexpected(number->error());
  const auto shard = parse_shard(texts.shard);
  if (!shard)
    return tl::unexpected(shard.error());
  if (*seed > UINT64_MAX - *repeat)
    return fail(ExitStatus::kUsage, fmt::format("--seed: {} leaves no seeds for {} runs", *seed, *repeat));
  suite.runner.jobs = static_cast<unsigned>(*jobs);
  suite.repeat = *repeat;
  suite.seed = *seed;
  suite.shard = *shard;
  const auto backend = parse_backend(texts.backend);
  if (!backend)
    return tl::unexpected(backend.error());
  suite.backend = *backend;
  if (auto guest = check_guest(suite.backend, suite.guest); !guest)
    return guest;
  if (auto folder = check_trace_folder(suite.trace); !folder)
    return folder;
  if (const std::filesystem::path page = suite.report; !page.empty() && page.extension() != ".html")
    return fail(
        ExitStatus::kUsage,
        fmt::format("--report: the runs' pages go into a folder of its name without .html; give a file "
                    "that ends in that, not {}",
                    suite.report));
  return suite.log_level.empty() ? Result<void>{} : check_log_level(suite.log_level);
}

} // namespace

Result<std::optional<RunArguments>> parse_run(const Arguments &arguments) {
  CLI::App app("Run one scenario: boot its vCPUs, bring them up, judge what came of it.", "vmm run");
  RunArguments run;
  RunTexts texts;
  std::string unused;
  run.log_level = "warning";
  app.add_option("FILE", run.file, "The scenario; - is standard input")->type_name("");
  add_sets(app, run.sets);
  app.add_option("--seed", texts.seed, "What chance draws from (default 0)")->type_name("N");
  app.add_option("--json", run.json, "Write the result as JSON; - is standard output")->type_name("FILE");
  app.add_option("--junit", run.junit, "Write it as JUnit XML; - is standard output")->type_name("FILE");
  app.add_option("--trace", run.trace,
                 "Write what each CPU did as a trace for Perfetto; if FILE ends in .txt, as ftrace's text; "
                 "- is standard output")
      ->type_name("FILE");
  app.add_option("--report", run.report,
                 "Write a page of HTML with a timeline of all CPUs; - is standard output")
      ->type_name("FILE");
  app.add_option("--guest", run.guest, "Boot this guest (default: guest.elf beside the vmm)")
      ->type_name("FILE");
  app.add_option("--log-level", run.log_level,
                 "trace, debug, info, warning (default), error, critical or off")
      ->type_name("LEVEL");
  add_backend(app, texts.backend);
  add_hidden(app, kSuiteOptions, unused);
  app.footer(std::string(kRunExamples));
  const auto go_on = parse(app, arguments);
  if (!go_on)
    return tl::unexpected(go_on.error());
  if (!*go_on)
    return std::nullopt;
  if (auto checked = check_run(app, texts, run); !checked)
    return tl::unexpected(checked.error());
  return run;
}

Result<std::optional<SuiteOptions>> parse_suite(const Arguments &arguments) {
  CLI::App app("Run many scenarios, each apart from the others, and sum up.", "vmm suite");
  SuiteOptions suite;
  SuiteTexts texts;
  app.add_option("FILE", suite.paths, "Scenarios, and folders of them")->type_name("");
  app.add_option("-j,--jobs", texts.jobs, "How many run at a time (default 1)")->type_name("N");
  app.add_option("--shard", texts.shard, "Run only the I-th of N parts")->type_name("I/N");
  app.add_option("--repeat", texts.repeat, "Run each N times, with N seeds (default 1)")->type_name("N");
  app.add_option("--seed", texts.seed, "The seed of each, or with --repeat the first (default 0)")
      ->type_name("N");
  add_sets(app, suite.sets);
  app.add_flag("--fresh", suite.fresh, "Use nothing again: a new process and a new machine for each run");
  app.add_option("--json", suite.json, "Write all results as JSON; - is standard output")->type_name("FILE");
  app.add_option("--junit", suite.junit,
                 "Write them as JUnit XML, a test case for each run; - is standard output")
      ->type_name("FILE");
  app.add_option("--tap", suite.tap, "Write them as TAP, a test point for each run; - is standard output")
      ->type_name("FILE");
  app.add_option("--trace", suite.trace, "Write a trace of each run into this folder")->type_name("DIR");
  app.add_option("--report", suite.report,
                 "Write a page of HTML with what was tried and all runs, and beside it a page of each")
      ->type_name("FILE.html");
  app.add_option("--guest", suite.guest, "Boot this guest (default: guest.elf beside the vmm)")
      ->type_name("FILE");
  app.add_option("--log-level", suite.log_level,
                 "As vmm run has it; shows also what runs that did not pass have printed")
      ->type_name("LEVEL");
  add_backend(app, texts.backend);
  app.footer(std::string(kSuiteExamples));
  const auto go_on = parse(app, arguments);
  if (!go_on)
    return tl::unexpected(go_on.error());
  if (!*go_on)
    return std::nullopt;
  if (auto checked = check_suite(texts, suite); !checked)
    return tl::unexpected(checked.error());
  return suite;
}

Result<std::optional<CheckArguments>> parse_check(const Arguments &arguments) {
  CLI::App app("Validate scenarios, and print each with its defaults filled in.", "vmm check");
  CheckArguments check;
  app.add_option("FILE", check.files, "The scenarios; - is standard input")->type_name("");
  add_sets(app, check.sets);
  std::string backend = "kvm";
  add_backend(app, backend);
  app.footer(std::string(kCheckExamples));
  const auto go_on = parse(app, arguments);
  if (!go_on)
    return tl::unexpected(go_on.error());
  if (!*go_on)
    return std::nullopt;
  if (check.files.empty())
    return fail(ExitStatus::kUsage, "which scenario? Give files, or - for standard input");
  const auto checked = parse_backend(backend);
  if (!checked)
    return tl::unexpected(checked.error());
  check.backend = *checked;
  return check;
}

Result<std::optional<DiffOptions>> parse_diff(const Arguments &arguments) {
  CLI::App app("Compare two results: outcomes, invariants, times to each point, what decided.", "vmm diff");
  DiffOptions diff;
  app.add_option("A", diff.before, "The result before; - is standard input")->type_name("");
  app.add_option("B", diff.after, "The result after; - is standard input")->type_name("");
  app.footer(std::string(kDiffExamples));
  const auto go_on = parse(app, arguments);
  if (!go_on)
    return tl::unexpected(go_on.error());
  if (!*go_on)
    return std::nullopt;
  if (diff.before.empty() || diff.after.empty())
    return fail(ExitStatus::kUsage, "which results? Give two files, or a file and - for standard input");
  if (diff.before == "-" && diff.after == "-")
    return fail(ExitStatus::kUsage, "only one of the two can be standard input");
  return diff;
}

Result<bool> parse_points(const Arguments &arguments) {
  CLI::App app("Print the points, sections, places and actions, and what supports what.", "vmm points");
  app.footer("Example:\n  vmm points");
  return parse(app, arguments);
}

Result<bool> parse_completion(const Arguments &arguments) {
  CLI::App app(
      "Print a script that has a shell complete vmm's command line: commands, options, their values, "
      "scenarios, and the keys of --set.",
      "vmm completion");
  std::string shell;
  app.add_option("SHELL", shell, "bash")->type_name("");
  app.footer(std::string(kCompletionExamples));
  auto go_on = parse(app, arguments);
  if (!go_on || !*go_on)
    return go_on;
  const auto shells = values_called("SHELL");
  if (std::ranges::find(shells, shell) == shells.end())
    return fail(ExitStatus::kUsage, fmt::format("which shell? There is {}", fmt::join(shells, ", ")));
  return true;
}

Result<std::optional<std::string>> parse_doctor(const Arguments &arguments) {
  CLI::App app("Find out by doing what this host's KVM can do for the lab, and how to mend what it cannot.",
               "vmm doctor");
  std::string json;
  app.add_option("--json", json, "Write the findings as JSON; - is standard output")->type_name("FILE");
  app.footer(std::string(kDoctorExamples));
  const auto go_on = parse(app, arguments);
  if (!go_on)
    return tl::unexpected(go_on.error());
  if (!*go_on)
    return std::nullopt;
  return json;
}

} // namespace reveille::vmm
