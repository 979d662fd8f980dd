// The options of each command, taken from its arguments.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/diff/command.hpp"
#include "vmm/scenario/scenario.hpp"
#include "vmm/suite/suite.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reveille::vmm {

using Arguments = std::vector<std::string>;

struct RunArguments {
  std::string file; ///< "-": standard input
  std::vector<std::string> sets;
  std::optional<std::uint64_t> seed;
  Backend backend = Backend::kKvm;
  std::string json;      ///< empty: none; "-": standard output
  std::string junit;     ///< the same
  std::string trace;     ///< the same
  std::string report;    ///< the same
  std::string guest;     ///< empty: the one beside the binary
  std::string log_level; ///< as spdlog names it
};

struct CheckArguments {
  std::vector<std::string> files;
  std::vector<std::string> sets;
  Backend backend = Backend::kKvm; ///< for which they must be valid
};

/// Each takes what comes after the command's name. An empty value means that help was
/// asked for and has been printed. Errors say what is wrong, and have status kUsage.
[[nodiscard]] Result<std::optional<RunArguments>> parse_run(const Arguments &arguments);
[[nodiscard]] Result<std::optional<SuiteOptions>> parse_suite(const Arguments &arguments);
[[nodiscard]] Result<std::optional<CheckArguments>> parse_check(const Arguments &arguments);
[[nodiscard]] Result<std::optional<DiffOptions>> parse_diff(const Arguments &arguments);
[[nodiscard]] Result<bool> parse_points(const Arguments &arguments);     ///< false: help was printed
[[nodiscard]] Result<bool> parse_completion(const Arguments &arguments); ///< likewise
/// Where the JSON is to be written; empty: nowhere.
[[nodiscard]] Result<std::optional<std::string>> parse_doctor(const Arguments &arguments);

} // namespace reveille::vmm
