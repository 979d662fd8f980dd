// One line of text, put together without allocation.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace reveille::guest::run {

class Line {
public:
  Line() { text("reveille:"); }

  Line &text(std::string_view s) {
    for (const char c : s)
      if (length_ + 1 < buffer_.size()) // one is kept for the line's end
        buffer_[length_++] = c;
    return *this;
  }
  Line &word(std::string_view s) { return text(" ").text(s); }
  Line &field(std::string_view name, std::string_view value) { return word(name).text("=").text(value); }
  Line &field(std::string_view name, std::uint64_t value) { return word(name).text("=").number(value, 10); }
  Line &hex_field(std::string_view name, std::uint64_t value) {
    return word(name).text("=0x").number(value, 16);
  }

  /// The line, with its end.
  [[nodiscard]] std::string_view finish() {
    buffer_[length_++] = '\n';
    return {buffer_.data(), length_};
  }

private:
  Line &number(std::uint64_t value, unsigned base) {
    std::array<char, 20> digits{};
    std::size_t at = digits.size();
    do {
      digits[--at] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    return text({digits.data() + at, digits.size() - at});
  }

  std::array<char, 200> buffer_;
  std::size_t length_ = 0;
};

} // namespace reveille::guest::run
