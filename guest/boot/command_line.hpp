// The kernel command line: words of key=value, separated by blanks.
#pragma once

#include <cstdint>
#include <string_view>

namespace reveille::guest::boot {

/// A longer one is cut.
inline constexpr std::uint64_t kLongestCommandLine = 4096;

class CommandLine {
public:
  /// `address` is where the loader put it, 0: there is none.
  explicit CommandLine(std::uint64_t address);

  /// The value of the first word with that key; empty when there is none.
  [[nodiscard]] std::string_view value(std::string_view key) const;
  /// As a number, decimal or with 0x, `missing` when it is none.
  [[nodiscard]] std::uint64_t number(std::string_view key, std::uint64_t missing) const;

private:
  std::string_view text_;
};

} // namespace reveille::guest::boot
