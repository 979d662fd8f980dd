// What the command line asks of the lab.
#pragma once

#include "vmm/scenario/scenario.hpp"

#include <spdlog/common.h>

#include <cstdio>
#include <optional>
#include <string>

namespace reveille::vmm {

struct RunOptions {
  Scenario scenario;
  std::string guest_path;               ///< the guest's ELF file; not checked yet
  std::optional<std::string> json_path; ///< where the result goes, if it goes to a file
  bool json_to_stdout = false;          ///< --json -: what people read goes to standard error then
  std::string junit;                    ///< where the result goes as JUnit XML; empty: nowhere; "-" likewise
  std::string again;                    ///< a command that repeats the run
  spdlog::level::level_enum log_level = spdlog::level::warn;

  /// Where what people read goes.
  [[nodiscard]] std::FILE *people() const { return json_to_stdout || junit == "-" ? stderr : stdout; }
};

/// Runs one scenario, reports it, and returns the exit status (ExitStatus).
[[nodiscard]] int run_command(const RunOptions &options);

} // namespace reveille::vmm
