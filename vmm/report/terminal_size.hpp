// How large a terminal is, now.
#pragma once

#include <cstdio>
#include <optional>

namespace reveille::vmm {

struct TerminalSize {
  int columns;
  int lines;
};

/// Nothing where the stream is no terminal, or one that does not know.
[[nodiscard]] std::optional<TerminalSize> terminal_size(std::FILE *stream);

} // namespace reveille::vmm
