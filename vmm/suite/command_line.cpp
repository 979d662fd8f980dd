#include "vmm/suite/command_line.hpp"

#include "vmm/report/shell.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace reveille::vmm {
namespace {

/// What decides how the run goes.
std::vector<std::string> run_of(const SuiteOptions &options, const std::string &file, std::uint64_t seed) {
  std::vector<std::string> words{"run", file};
  const auto add = [&words](const char *option, const std::string &value) {
    words.emplace_back(option);
    words.push_back(value);
  };
  for (const std::string &change : options.sets)
    add("--set", change);
  add("--seed", std::to_string(seed));
  if (options.backend != Backend::kKvm)
    add("--backend", std::string(name(options.backend)));
  if (!options.guest.empty())
    add("--guest", options.guest);
  return words;
}

} // namespace

std::vector<std::string> arguments_of(const SuiteOptions &options, const std::string &file,
                                      std::uint64_t seed) {
  std::vector<std::string> words = run_of(options, file, seed);
  words.insert(words.end(), {"--json", "-"});
  if (!options.trace.empty())
    words.insert(words.end(), {"--trace", trace_file(options, file, seed)});
  if (!options.log_level.empty())
    words.insert(words.end(), {"--log-level", options.log_level});
  return words;
}

std::string trace_file(const SuiteOptions &options, const std::string &file, std::uint64_t seed) {
  return file_of_run(options, options.trace, file, seed, ".json");
}

std::string file_of_run(const SuiteOptions &options, const std::string &folder, const std::string &file,
                        std::uint64_t seed, std::string_view ending) {
  std::filesystem::path path(folder);
  for (const std::filesystem::path &part : std::filesystem::path(file).lexically_normal().relative_path())
    path /= part == ".." ? "up" : part;
  path += options.repeat > 1 ? fmt::format(".seed-{}{}", seed, ending) : std::string(ending);
  return path.string();
}

std::string command_of(const SuiteOptions &options, const std::string &file, std::uint64_t seed) {
  std::string command = shell_quoted(options.command);
  for (const std::string &word : run_of(options, file, seed))
    command += ' ' + shell_quoted(word);
  return command;
}

} // namespace reveille::vmm
