#include "vmm/cli/options.hpp"

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

namespace reveille::vmm {
namespace {

/// Options of `run` that the design names and this version does not have.
constexpr std::array<std::string_view, 6> kLaterOptions{"--junit", "--trace",  "--report",
                                                        "--shard", "--repeat", "-j"};

constexpr std::string_view kRunExamples = R"(Examples:
  vmm run configs/parallel-8.toml
  vmm run configs/parallel-8.toml --set bringup.strategy=serial --set machine.vcpus=16
  vmm run configs/faults/two-stalls.toml --json result.json
  vmm run - --json - < scenario.toml

Exit status: 0 as expected; 1 the outcome differs; 2 the scenario or the command line is
wrong; 3 this host cannot run it; 4 an invariant is broken or the lab failed; 130 interrupted.)";

constexpr std::string_view kCheckExamples = R"(Examples:
  vmm check configs/parallel-8.toml
  vmm check configs/*.toml > /dev/null
  vmm check - --set machine.vcpus=64 < scenario.toml)";

void add_sets(CLI::App &app, std::vector<std::string> &sets) {
  app.add_option("--set", sets, "Change a key of the scenario, e.g. bringup.timeout_ms=300 or fault.0.cpu=3")
      ->type_name("KEY=VALUE")
      ->expected(1, 1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
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

/// Whether to go on: help has been asked for, and printed, when not.
Result<bool> parse(CLI::App &app, const Arguments &arguments) {
  app.set_help_flag("-h,--help", "Print this and exit");
  app.allow_extras();
  try {
    app.parse(Arguments(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp &) {
    fmt::print("{}", app.help());
    return false;
  } catch (const CLI::ArgumentMismatch &error) {
    const std::string_view text = error.what(); // "--seed: 1 required N missing"
    return fail(ExitStatus::kUsage, fmt::format("{} needs a value", text.substr(0, text.find(':'))));
  } catch (const CLI::ParseError &error) {
    return fail(ExitStatus::kUsage, error.what());
  }
  if (const Arguments extra = app.remaining(); !extra.empty())
    return fail(ExitStatus::kUsage, complaint_about(app, extra.front()));
  return true;
}

Result<std::uint64_t> parse_seed(const std::string &text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail(ExitStatus::kUsage,
                fmt::format("--seed: \"{}\" is not a number from 0 to {}", text, UINT64_MAX));
  return seed;
}

Result<void> check_log_level(const std::string &level) {
  static constexpr std::array<std::string_view, 7> kLevels{"trace", "debug",    "info", "warning",
                                                           "error", "critical", "off"};
  if (std::ranges::find(kLevels, level) != kLevels.end())
    return {};
  return fail(ExitStatus::kUsage,
              fmt::format("--log-level: unknown level \"{}\"{}", level, suggestion(level, kLevels)));
}

Result<void> check_backend(const std::string &backend) {
  if (backend == "kvm")
    return {};
  if (backend == "sim")
    return fail(ExitStatus::kUsage, "--backend: \"sim\" is not supported yet");
  return fail(ExitStatus::kUsage, fmt::format("--backend: unknown backend \"{}\"; valid here: kvm", backend));
}

/// What of a run's options CLI11 cannot hold against a type.
struct RunTexts {
  std::string seed;
  std::string backend = "kvm";
};

Result<void> check_run(const CLI::App &app, const RunTexts &texts, RunArguments &run) {
  for (const std::string_view name : kLaterOptions)
    if (app.count(std::string(name)) != 0)
      return fail(ExitStatus::kUsage, fmt::format("{} is not supported yet", name));
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
  return check_backend(texts.backend);
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
  app.add_option("--guest", run.guest, "Boot this guest (default: guest.elf beside the vmm)")
      ->type_name("FILE");
  app.add_option("--log-level", run.log_level,
                 "trace, debug, info, warning (default), error, critical or off")
      ->type_name("LEVEL");
  app.add_option("--backend", texts.backend)->group("");
  for (const std::string_view name : kLaterOptions)
    app.add_option(std::string(name), unused)->expected(0, 1)->group("");
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

Result<std::optional<CheckArguments>> parse_check(const Arguments &arguments) {
  CLI::App app("Validate scenarios, and print each with its defaults filled in.", "vmm check");
  CheckArguments check;
  app.add_option("FILE", check.files, "The scenarios; - is standard input")->type_name("");
  add_sets(app, check.sets);
  app.footer(std::string(kCheckExamples));
  const auto go_on = parse(app, arguments);
  if (!go_on)
    return tl::unexpected(go_on.error());
  if (!*go_on)
    return std::nullopt;
  if (check.files.empty())
    return fail(ExitStatus::kUsage, "which scenario? Give files, or - for standard input");
  return check;
}

Result<bool> parse_points(const Arguments &arguments) {
  CLI::App app("Print the points, sections, places and actions, and what supports what.", "vmm points");
  app.footer("Example:\n  vmm points");
  return parse(app, arguments);
}

} // namespace reveille::vmm
