// Text from outside, made fit to be shown.
#pragma once

#include <string>
#include <string_view>

namespace reveille::vmm {

/// `text` on one line, without anything that a terminal might obey: control characters, and bytes that are
/// not UTF-8, are written as C has them (\n, \x1b, \xff). Everything that the guest, a file or the command
/// line has named goes through it.
[[nodiscard]] std::string printable(std::string_view text);

/// Whether all of it is UTF-8. Source: RFC 3629, 4 "Syntax of UTF-8 Byte Sequences".
[[nodiscard]] bool is_utf8(std::string_view text);

} // namespace reveille::vmm
