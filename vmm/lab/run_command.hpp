// What the command line asks of the lab.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/scenario/scenario.hpp"

#include <spdlog/common.h>

#include <cstdio>
#include <string>

namespace reveille::vmm {

class MachineStock;

struct RunOptions {
  Scenario scenario;
  std::string guest_path; ///< the guest's ELF file; not checked yet
  std::string json;       ///< where the result goes; empty: nowhere; "-": standard output
  std::string junit;      ///< the same of it as JUnit XML
  std::string trace;      ///< the same of the run as a trace
  std::string report;     ///< the same of the run as a page of HTML
  std::string again;      ///< a command that repeats the run
  spdlog::level::level_enum log_level = spdlog::level::warn;

  /// Where what people read goes: not to where a program reads.
  [[nodiscard]] std::FILE *people() const {
    return json == "-" || junit == "-" || trace == "-" || report == "-" ? stderr : stdout;
  }
};

/// Runs one scenario, reports it, and returns the exit status (ExitStatus). With a `stock` its machine may be
/// one that was used before, and may be used again.
[[nodiscard]] int run_command(const RunOptions &options, MachineStock *stock = nullptr);

/// Writes the JSON and the JUnit result of a scenario that could not be read, as far as they were asked for:
/// of it only file, title, seed and backend count. A trace and a page have nothing to show. Says nothing of
/// `error` to people. Returns the exit status.
[[nodiscard]] int write_unread(const RunOptions &options, const Error &error);

} // namespace reveille::vmm
