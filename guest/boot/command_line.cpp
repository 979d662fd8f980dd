#include "guest/boot/command_line.hpp"

#include "guest/boot/page_tables.hpp"

namespace reveille::guest::boot {

CommandLine::CommandLine(std::uint64_t address) {
  if (address == 0 || address > kMapped - kLongestCommandLine)
    return;
  const auto *text = reinterpret_cast<const char *>(address);
  std::uint64_t length = 0;
  while (length < kLongestCommandLine && text[length] != '\0')
    ++length;
  text_ = {text, length};
}

std::string_view CommandLine::value(std::string_view key) const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    std::size_t length = 0;
    while (length < rest.size() && rest[length] != ' ')
      ++length;
    std::string_view word(rest.data(), length);
    rest.remove_prefix(length == rest.size() ? length : length + 1);
    if (word.size() <= key.size() || !word.starts_with(key) || word[key.size()] != '=')
      continue;
    word.remove_prefix(key.size() + 1);
    return word;
  }
  return {};
}

std::uint64_t CommandLine::number(std::string_view key, std::uint64_t missing) const {
  std::string_view digits = value(key);
  unsigned base = 10;
  if (digits.starts_with("0x")) {
    base = 16;
    digits.remove_prefix(2);
  }
  if (digits.empty())
    return missing;
  std::uint64_t result = 0;
  for (const char c : digits) {
    unsigned digit = 16;
    if (c >= '0' && c <= '9')
      digit = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<unsigned>(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<unsigned>(c - 'A') + 10;
    if (digit >= base || result > (~std::uint64_t{0} - digit) / base)
      return missing;
    result = result * base + digit;
  }
  return result;
}

} // namespace reveille::guest::boot
