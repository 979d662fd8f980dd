#ifdef REVEILLE_HAS_LAB
#include "vmm/lab/run_command.hpp"

#include "vmm/cli/commands.hpp"
#include "vmm/html/page.hpp"
#include "vmm/lab/interrupt.hpp"
#include "vmm/report/outputs.hpp"
#include "vmm/scenario/load.hpp"
#include "vmm/suite/command_line.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <unistd.h>

namespace reveille::vmm {
namespace {

/// A command that repeats the run.
std::string again(const RunArguments &run, std::uint64_t seed) {
  SuiteOptions options;
  options.sets = run.sets;
  options.backend = run.backend;
  options.guest = run.guest;
  options.command = ::program_invocation_name;
  return command_of(options, run.file, seed);
}

/// Of the scenario what is known before it is read.
RunOptions options_of(const RunArguments &wanted) {
  RunOptions options;
  options.scenario.file = wanted.file;
  options.scenario.title = default_title(wanted.file);
  options.scenario.seed = wanted.seed.value_or(0);
  options.scenario.backend = wanted.backend;
  options.guest_path = guest_file(wanted.guest);
  options.json = wanted.json;
  options.junit = wanted.junit;
  options.trace = wanted.trace;
  options.report = wanted.report;
  options.again = again(wanted, options.scenario.seed);
  options.log_level = spdlog::level::from_str(wanted.log_level);
  return options;
}

Result<void> check_files(const RunOptions &options) {
  const std::array<Output, 4> outputs{{{"--json", options.json},
                                       {"--junit", options.junit},
                                       {"--trace", options.trace},
                                       {"--report", options.report}}};
  const std::array<Input, 2> inputs{
      {{options.scenario.file, "the scenario"}, {options.guest_path, "the guest"}}};
  return check_outputs(outputs).and_then([&] { return check_kept(outputs, inputs); });
}

} // namespace

std::string guest_file(const std::string &wanted) {
  std::error_code error;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  return wanted.empty() ? (folder / "guest.elf").string() : wanted;
}

/// A signal is not to end it unheard, however early it comes.
int run(const Arguments &arguments) {
  const InterruptGuard guard;
  return run_with(nullptr, arguments);
}

int run_with(MachineStock *stock, const Arguments &arguments) {
  const auto parsed = parse_run(arguments);
  if (!parsed)
    return usage_error("run", parsed.error().message);
  if (!*parsed)
    return flushed(0);
  const RunArguments &wanted = **parsed;
  RunOptions options = options_of(wanted);
  if (const auto usable = check_files(options); !usable)
    return usage_error("run", usable.error().message);
  auto scenario = load_scenario(wanted.file, {wanted.sets, wanted.seed, wanted.backend});
  if (!scenario) {
    static_cast<void>(report(scenario.error()));
    return flushed(write_unread(options, scenario.error()));
  }
  if (!wanted.report.empty() && scenario->machine.vcpus > kMostPageCpus)
    return usage_error("run",
                       fmt::format("--report: a page has room for {} CPUs, and this run has {}; --json "
                                   "and --trace have room for all",
                                   kMostPageCpus, scenario->machine.vcpus));
  scenario->guest = wanted.guest;
  options.scenario = std::move(*scenario);
  return flushed(run_command(options, stock));
}

} // namespace reveille::vmm
#endif
