// One table of a scenario, held against the rows of its section: every key known, of the
// right type, in range and supported. What is wrong goes to the diagnostics.
#pragma once

#include "vmm/scenario/diagnostics.hpp"
#include "vmm/scenario/document.hpp"
#include "vmm/scenario/keys.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// What to say of a key that its section does not have: the nearest one, or where it belongs.
[[nodiscard]] std::string unknown_key(KeySection section, std::string_view name);

class SectionReader {
public:
  /// Checks `table` (null: the section is absent) at once. `path`: what comes before its
  /// keys in a message, "machine" or "fault.0"; empty for the root. Missing keys are
  /// placed at the table, or at `absent_at` when there is none. `most_cpus`: see most_of().
  SectionReader(const Node *table, KeySection section, std::string path, Origin absent_at, Diagnostics &diag,
                std::uint32_t most_cpus = abi::kMaxCpus);

  /// The value of a key that is given and right, or null.
  [[nodiscard]] const Node *find(std::string_view name) const;

  /// Whether it is given, right or wrong.
  [[nodiscard]] bool given(std::string_view name) const;

  /// The value or its default. Empty: it is wrong, or has no default of its own.
  [[nodiscard]] std::optional<double> number(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint32_t> integer(std::string_view name) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view name) const;
  [[nodiscard]] std::optional<std::size_t> choice(std::string_view name) const;

  /// "machine.vcpus".
  [[nodiscard]] std::string path_of(std::string_view name) const;

  /// What messages call a key that is given: "x.toml:7:6: fault.0.at".
  [[nodiscard]] std::string told_as(std::string_view name) const;

  /// Says that the value of a given key is wrong; find() no longer returns it.
  void reject(std::string_view name, std::string what);

  [[nodiscard]] Origin origin() const { return at_; }

private:
  void check_key(const Node &value);
  void check_missing();
  [[nodiscard]] std::optional<std::string> wrong_with(const KeyRow &row, const Node &value) const;
  [[nodiscard]] bool suggested(std::string_view name) const;

  const Node *table_;
  KeySection section_;
  std::string path_;
  Origin at_;
  Diagnostics &diag_;
  std::uint32_t most_cpus_;
  std::vector<std::string_view> wrong_;     ///< given, but wrong
  std::vector<std::string_view> suggested_; ///< what unknown keys were probably meant to be
};

} // namespace reveille::vmm
