// The command lines of the programs here: names, each with a value behind it.
#pragma once

#include <charconv>
#include <string_view>

namespace reveille::explore {

/// Whether `text` is a number over 0, and nothing else; it is stored in `value` then.
template <class T> [[nodiscard]] bool read_number(std::string_view text, T &value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value > 0;
}

/// Gives each name and its value to `take`. False: `take` does not know one, or one has no value.
template <class Take> [[nodiscard]] bool read_options(int argc, char **argv, Take &&take) {
  for (int i = 1; i + 1 < argc; i += 2)
    if (!take(std::string_view(argv[i]), std::string_view(argv[i + 1])))
      return false;
  return argc % 2 == 1;
}

} // namespace reveille::explore
