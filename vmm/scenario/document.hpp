// A TOML document as plain nodes that know where they came from. Everything else in the
// scenario reader works on these; only document.cpp knows the TOML library.
#pragma once

#include "vmm/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// Where a key or a value was written: a line and a column, both from 1, or a --set.
struct Origin {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  int set = -1; ///< index of the --set that it came from; -1: the file

  friend constexpr bool operator==(const Origin &, const Origin &) = default;
};

/// A value. Tables and arrays have children; a table's children have names.
struct Node {
  enum class Kind : std::uint8_t { kText, kInteger, kFloat, kBool, kTime, kArray, kTable };

  Kind kind = Kind::kTable;
  std::string name;  ///< the key, when the parent is a table
  Origin key_origin; ///< where the key is written
  Origin origin;     ///< where the value is written
  std::string text;  ///< kText
  std::int64_t integer = 0;
  double number = 0; ///< kFloat
  bool boolean = false;
  std::vector<Node> children; ///< in the order of the file

  /// The child of that name, or null.
  [[nodiscard]] const Node *find(std::string_view key) const;
  [[nodiscard]] Node *find(std::string_view key);
};

/// What a value is, for a message: `the string "8"`, `a table`.
[[nodiscard]] std::string describe(const Node &node);

/// Reads a whole document. `file` is only for messages.
[[nodiscard]] Result<Node> parse_document(std::string_view text, std::string_view file);

/// Reads one value as --set takes it: a TOML value, or a bare word, which is a string.
[[nodiscard]] Result<Node> parse_set_value(std::string_view text);

/// Takes a dotted key apart: `expect.failed."1-3"` has three parts.
[[nodiscard]] Result<std::vector<std::string>> parse_set_key(std::string_view text);

} // namespace reveille::vmm
