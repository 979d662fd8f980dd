// `vmm diff`.
#pragma once

#include <string>

namespace reveille::vmm {

struct DiffOptions {
  std::string before; ///< a result; "-": standard input, of one of the two
  std::string after;
};

/// Reads two results and prints what has changed. Returns the exit status: 0 where the outcomes are the same,
/// 1 where they differ, 2 where one of the files is no result.
[[nodiscard]] int diff_command(const DiffOptions &options);

} // namespace reveille::vmm
