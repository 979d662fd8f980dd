#include "vmm/suite/find.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

namespace reveille::vmm {
namespace {

namespace fs = std::filesystem;

Result<void> add_folder(const fs::path &folder, std::vector<fs::path> &found) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path &path = it->path();
    if (path.filename().native().starts_with('.'))
      continue;
    std::error_code unknown; // a file that is gone meanwhile, or a link to nowhere, is no folder
    if (it->is_directory(unknown)) {
      if (it->is_symlink(unknown))
        continue;
      if (auto added = add_folder(path, found); !added)
        return added;
    } else if (path.extension() == ".toml") {
      found.push_back(path);
    }
  }
  if (error)
    return fail(ExitStatus::kUsage,
                fmt::format("{}: cannot read the folder: {}", folder.string(), error.message()));
  return {};
}

Result<void> add_path(const std::string &name, std::vector<fs::path> &found) {
  if (name == "-")
    return fail(ExitStatus::kUsage, "a suite is of files and folders; vmm run - reads standard input");
  // What would be an option in the command that repeats a run.
  const fs::path path = name.starts_with('-') ? fs::path(".") / name : fs::path(name);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status))
    return fail(ExitStatus::kUsage, fmt::format("{}: {}", name, error ? error.message() : "is not there"));
  if (!fs::is_directory(status)) {
    found.push_back(path);
    return {};
  }
  const std::size_t before = found.size();
  if (auto added = add_folder(path, found); !added)
    return added;
  if (found.size() == before)
    return fail(ExitStatus::kUsage, fmt::format("{}: there is no *.toml in this folder or below", name));
  return {};
}

/// What two names of one file have in common.
fs::path identity(const fs::path &path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  return error ? fs::absolute(path, error) : real;
}

} // namespace

Result<std::vector<std::string>> find_scenarios(const std::vector<std::string> &paths) {
  std::vector<fs::path> found;
  for (const std::string &path : paths)
    if (auto added = add_path(path, found); !added)
      return tl::unexpected(added.error());
  std::ranges::sort(found); // by folder, then by name, byte by byte
  std::set<fs::path> seen;
  std::vector<std::string> files;
  for (const fs::path &path : found)
    if (seen.insert(identity(path)).second)
      files.push_back(path.string());
  return files;
}

} // namespace reveille::vmm
