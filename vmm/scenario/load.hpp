// Reads scenarios: the one way from a file to a Scenario.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/scenario/scenario.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// Reads and checks a scenario; "-" is standard input. `overrides` are --set's arguments.
/// The error names file, line, column and key of the first mistake in file order, and
/// its status is kUsage.
[[nodiscard]] Result<Scenario> load_scenario(const std::string &path,
                                             const std::vector<std::string> &overrides = {},
                                             std::optional<std::uint64_t> seed = {});

/// The same from memory; `path` names it in messages and gives the default title.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text, const std::string &path,
                                              const std::vector<std::string> &overrides = {},
                                              std::optional<std::uint64_t> seed = {});

} // namespace reveille::vmm
