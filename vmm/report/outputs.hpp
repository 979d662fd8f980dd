// Files that a command line names: what is to be written can be, and overwrites nothing else of it.
#pragma once

#include "vmm/base/error.hpp"

#include <span>
#include <string>
#include <string_view>

namespace reveille::vmm {

/// An option that says where something is written.
struct Output {
  std::string_view option;
  const std::string &path; ///< empty: nowhere; "-": standard output
};

/// A file that is read, or that somebody else writes.
struct Input {
  std::string path;      ///< empty: none; "-": standard input
  std::string_view what; ///< "the scenario"
};

/// Finds out before a run whether a result can be written where `option` says. Fails with kUsage.
[[nodiscard]] Result<void> check_output(const Output &output);

/// The same of all outputs of a command. At most one may be standard output, and no regular file may be
/// named twice, by whatever names: what counts is device and inode, or folder and name of what is not there
/// yet. What is no regular file (/dev/null, a pipe) may.
[[nodiscard]] Result<void> check_outputs(std::span<const Output> outputs);

/// No output may be one of these files, in the same sense. Fails with kUsage.
[[nodiscard]] Result<void> check_kept(std::span<const Output> outputs, std::span<const Input> inputs);

} // namespace reveille::vmm
