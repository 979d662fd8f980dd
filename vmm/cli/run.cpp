#ifdef REVEILLE_HAS_LAB
#include "vmm/lab/run_command.hpp"

#include "vmm/cli/commands.hpp"
#include "vmm/scenario/load.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <unistd.h>

namespace reveille::vmm {
namespace {

std::string guest_beside_binary() {
  std::error_code error;
  return (std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "guest.elf").string();
}

} // namespace

Result<void> check_json_path(const std::string &path) {
  const std::filesystem::path file(path);
  const std::filesystem::path folder =
      file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    return fail(ExitStatus::kUsage, fmt::format("--json: {} is a directory", path));
  if (!std::filesystem::is_directory(folder, error))
    return fail(ExitStatus::kUsage, fmt::format("--json: there is no folder {}", folder.string()));
  const bool exists = std::filesystem::exists(file, error);
  if (::access(exists ? file.c_str() : folder.c_str(), W_OK) != 0)
    return fail(ExitStatus::kUsage, fmt::format("--json: {} cannot be written", path));
  return {};
}

int run(const Arguments &arguments) {
  const auto parsed = parse_run(arguments);
  if (!parsed)
    return usage_error("run", parsed.error().message);
  if (!*parsed)
    return flushed(0);
  const RunArguments &wanted = **parsed;
  RunOptions options;
  options.json_to_stdout = wanted.json == "-";
  if (!wanted.json.empty() && !options.json_to_stdout) {
    if (const auto writable = check_json_path(wanted.json); !writable)
      return usage_error("run", writable.error().message);
    options.json_path = wanted.json;
  }
  auto scenario = load_scenario(wanted.file, {wanted.sets, wanted.seed, wanted.backend});
  if (!scenario)
    return report(scenario.error());
  options.scenario = std::move(*scenario);
  options.guest_path = wanted.guest.empty() ? guest_beside_binary() : wanted.guest;
  options.log_level = spdlog::level::from_str(wanted.log_level);
  return flushed(run_command(options));
}

} // namespace reveille::vmm
#endif
