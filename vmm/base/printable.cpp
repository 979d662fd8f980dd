#include "vmm/base/printable.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace reveille::vmm {
namespace {

struct Character {
  std::size_t length; ///< bytes; 0: what stands there is no UTF-8
  std::uint32_t value;
};

/// The character at the front of `text`, which is not empty.
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80)
    return {1, lead};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length)
    return {0, 0};
  std::uint32_t value = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0u) != 0x80)
      return {0, 0};
    value = (value << 6) | (byte(i) & 0x3fu);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value < 0xe000;
  return {value >= kLeast[length] && value <= 0x10ffff && !surrogate ? length : 0, value};
}

/// C0 and C1 controls, and DEL.
bool is_control(std::uint32_t value) { return value < 0x20 || (value >= 0x7f && value < 0xa0); }

std::string escaped(char c) {
  switch (c) {
  case '\n':
    return "\\n";
  case '\r':
    return "\\r";
  case '\t':
    return "\\t";
  default:
    break;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

} // namespace

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const auto [length, value] = first_of(text);
    const std::string_view bytes = text.substr(0, std::max<std::size_t>(length, 1));
    if (length != 0 && !is_control(value))
      clean += bytes;
    else
      for (const char c : bytes)
        clean += escaped(c);
    text.remove_prefix(bytes.size());
  }
  return clean;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = first_of(text).length;
    if (length == 0)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

} // namespace reveille::vmm
