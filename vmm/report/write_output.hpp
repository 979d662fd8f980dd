// Puts a result where it was asked for.
#pragma once

#include "vmm/base/error.hpp"

#include <span>
#include <string>
#include <string_view>

namespace reveille::vmm {

/// Writes `text` to the file `path`, or to standard output when it is "-". A file is either
/// all there or as it was before: what is written goes to a file beside it first. What is
/// not a regular file (a pipe, /dev/null) is written to directly. Errors have status kUsage
/// and leave nothing behind.
[[nodiscard]] Result<void> write_output(const std::string &path, std::string_view text);

/// The same of a text that is in pieces, one after the other.
[[nodiscard]] Result<void> write_output(const std::string &path, std::span<const std::string_view> pieces);

} // namespace reveille::vmm
