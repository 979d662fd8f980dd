#include "vmm/report/shell.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/report/style.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace reveille::vmm {
namespace {

bool is_plain(unsigned char c) {
  return std::isalnum(c) != 0 ||
         std::string_view("/._-+,:@%=").find(static_cast<char>(c)) != std::string_view::npos;
}

/// Inside $'..': three octal digits are one byte, whatever follows.
std::string escaped(unsigned char c) {
  const bool as_it_is = c >= 0x20 && c < 0x7f && c != '\'' && c != '\\';
  return as_it_is ? std::string(1, static_cast<char>(c)) : fmt::format("\\{:03o}", c);
}

} // namespace

std::string shell_quoted(std::string_view word) {
  if (!word.empty() && std::ranges::all_of(word, is_plain))
    return std::string(word);
  const bool needs_escapes = printable(word) != word;
  std::string text = needs_escapes ? "$'" : "'";
  for (const char c : word) {
    if (needs_escapes)
      text += escaped(static_cast<unsigned char>(c));
    else
      text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return text + '\'';
}

} // namespace reveille::vmm
