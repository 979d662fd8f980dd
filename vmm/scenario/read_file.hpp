// Reads a scenario file, or standard input, into memory.
#pragma once

#include "vmm/base/error.hpp"

#include <string>

namespace reveille::vmm {

/// The text of `path`, "-" for standard input. What cannot be a scenario (a directory, a
/// binary file, more than a megabyte) is refused with the reason.
[[nodiscard]] Result<std::string> read_text(const std::string &path);

/// How messages name a file: printable, and standard input has a name of its own.
[[nodiscard]] std::string display_name(const std::string &path);

} // namespace reveille::vmm
