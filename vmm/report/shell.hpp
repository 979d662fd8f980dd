// Words for a shell.
#pragma once

#include <string>
#include <string_view>

namespace reveille::vmm {

/// A word as a shell takes it, to the byte. What a terminal might obey is written in the
/// $'..' form, which bash, zsh and POSIX of 2024 know.
[[nodiscard]] std::string shell_quoted(std::string_view word);

} // namespace reveille::vmm
