#include "vmm/report/outputs.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <optional>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

namespace reveille::vmm {
namespace {

/// What all names of one file have in common: device and inode, and of a file that is not there yet those of
/// its folder, with its name.
using Identity = std::tuple<dev_t, ino_t, std::string>;

std::filesystem::path folder_of(const std::filesystem::path &file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

/// Empty: it is no regular file, and will not be one, or nobody can tell. `standard`: what "-" stands for.
std::optional<Identity> identity_of(const std::string &path, int standard) {
  struct stat info = {};
  if (path.empty())
    return std::nullopt;
  if ((path == "-" ? ::fstat(standard, &info) : ::stat(path.c_str(), &info)) == 0)
    return S_ISREG(info.st_mode) ? std::optional(Identity{info.st_dev, info.st_ino, ""}) : std::nullopt;
  const std::filesystem::path file(path);
  if (::stat(folder_of(file).c_str(), &info) != 0)
    return std::nullopt;
  return Identity{info.st_dev, info.st_ino, file.filename().string()};
}

tl::unexpected<Error> overwritten(const Output &output, std::string_view what) {
  return fail(ExitStatus::kUsage, fmt::format("{}: {} is {}, and would be overwritten", output.option,
                                              output.path == "-" ? "standard output" : output.path, what));
}

} // namespace

Result<void> check_output(const Output &output) {
  const auto &[option, path] = output;
  if (path.empty() || path == "-")
    return {};
  const std::filesystem::path file(path);
  const std::filesystem::path folder = folder_of(file);
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

Result<void> check_outputs(std::span<const Output> outputs) {
  const Output *standard = nullptr;
  std::map<Identity, std::string_view> written; // by which option
  for (const Output &output : outputs) {
    if (output.path == "-" && standard != nullptr)
      return fail(ExitStatus::kUsage, fmt::format("{} and {}: only one of them can be standard output",
                                                  standard->option, output.option));
    standard = output.path == "-" ? &output : standard;
    if (auto writable = check_output(output); !writable)
      return writable;
    const auto identity = identity_of(output.path, STDOUT_FILENO);
    if (!identity)
      continue;
    if (const auto [it, is_new] = written.emplace(*identity, output.option); !is_new)
      return overwritten(output, fmt::format("what {} writes", it->second));
  }
  return {};
}

Result<void> check_kept(std::span<const Output> outputs, std::span<const Input> inputs) {
  std::map<Identity, std::string_view> read;
  for (const Input &input : inputs)
    if (auto identity = identity_of(input.path, STDIN_FILENO))
      read.emplace(std::move(*identity), input.what);
  for (const Output &output : outputs)
    if (const auto identity = identity_of(output.path, STDOUT_FILENO))
      if (const auto it = read.find(*identity); it != read.end())
        return overwritten(output, it->second);
  return {};
}

} // namespace reveille::vmm
