// Reads scenarios: the one way from a file to a Scenario.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/scenario/scenario.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

struct LoadOptions {
  std::vector<std::string> overrides; ///< --set's arguments
  std::optional<std::uint64_t> seed;  ///< --seed's
  Backend backend = Backend::kKvm;    ///< what it is to be run on
};

/// Reads and checks a scenario; "-" is standard input. The error names file, line, column and
/// key of the first mistake in file order, and its status is kUsage.
[[nodiscard]] Result<Scenario> load_scenario(const std::string &path, const LoadOptions &options = {});

/// The same from memory; `path` names it in messages and gives the default title.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text, const std::string &path,
                                              const LoadOptions &options = {});

/// The title of a scenario that says none: its file's name without the folder. What a title cannot hold
/// becomes a question mark.
[[nodiscard]] std::string default_title(const std::string &path);

} // namespace reveille::vmm
