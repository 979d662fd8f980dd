#ifdef REVEILLE_HAS_LAB
#include "vmm/lab/run_command.hpp"

#include "vmm/cli/commands.hpp"
#include "vmm/html/page.hpp"
#include "vmm/lab/interrupt.hpp"
#include "vmm/scenario/load.hpp"
#include "vmm/suite/command_line.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <unistd.h>

namespace reveille::vmm {
namespace {

std::string guest_beside_binary() {
  std::error_code error;
  return (std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "guest.elf").string();
}

/// A command that repeats the run.
std::string again(const RunArguments &run, std::uint64_t seed) {
  SuiteOptions options;
  options.sets = run.sets;
  options.backend = run.backend;
  options.guest = run.guest;
  options.command = ::program_invocation_name;
  return command_of(options, run.file, seed);
}

} // namespace

Result<void> check_output(std::string_view option, const std::string &path) {
  if (path.empty() || path == "-")
    return {};
  const std::filesystem::path file(path);
  const std::filesystem::path folder =
      file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    return fail(ExitStatus::kUsage, fmt::format("{}: {} is a directory", option, path));
  if (!std::filesystem::is_directory(folder, error))
    return fail(ExitStatus::kUsage, fmt::format("{}: there is no folder {}", option, folder.string()));
  const bool exists = std::filesystem::exists(file, error);
  if (::access(exists ? file.c_str() : folder.c_str(), W_OK) != 0)
    return fail(ExitStatus::kUsage, fmt::format("{}: {} cannot be written", option, path));
  return {};
}

Result<void> check_outputs(std::initializer_list<Output> outputs) {
  const Output *first = nullptr;
  for (const Output &output : outputs) {
    if (output.path == "-" && first != nullptr)
      return fail(ExitStatus::kUsage, fmt::format("{} and {}: only one of them can be standard output",
                                                  first->option, output.option));
    first = output.path == "-" ? &output : first;
    if (auto writable = check_output(output.option, output.path); !writable)
      return writable;
  }
  return {};
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
  RunOptions options;
  if (const auto writable = check_outputs({{"--json", wanted.json},
                                           {"--junit", wanted.junit},
                                           {"--trace", wanted.trace},
                                           {"--report", wanted.report}});
      !writable)
    return usage_error("run", writable.error().message);
  options.json = wanted.json;
  options.junit = wanted.junit;
  options.trace = wanted.trace;
  options.report = wanted.report;
  auto scenario = load_scenario(wanted.file, {wanted.sets, wanted.seed, wanted.backend});
  if (!scenario)
    return report(scenario.error());
  if (!wanted.report.empty() && scenario->machine.vcpus > kMostPageCpus)
    return usage_error("run",
                       fmt::format("--report: a page has room for {} CPUs, and this run has {}; --json "
                                   "and --trace have room for all",
                                   kMostPageCpus, scenario->machine.vcpus));
  scenario->guest = wanted.guest;
  options.scenario = std::move(*scenario);
  options.again = again(wanted, options.scenario.seed);
  options.guest_path = wanted.guest.empty() ? guest_beside_binary() : wanted.guest;
  options.log_level = spdlog::level::from_str(wanted.log_level);
  return flushed(run_command(options, stock));
}

} // namespace reveille::vmm
#endif
