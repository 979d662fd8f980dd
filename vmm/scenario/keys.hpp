// The keys of a scenario file, as a table: what the reader accepts, what its messages say,
// what `vmm check` prints and what docs/scenario.md lists all come from here.
#pragma once

#include "core/abi/control_page.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reveille::vmm {

enum class KeySection : std::uint8_t { kRoot, kMachine, kBringup, kSim, kLatency, kFault, kExpect };

/// What a key's value must be.
enum class KeyType : std::uint8_t {
  kText,
  kInteger,
  kNumber, ///< an integer or a fraction
  kBool,
  kChoice, ///< one of the row's choices, a string
  kCpus,   ///< a number, an array, a cpulist or "all"
  kPerCpu, ///< a table: CPU or cpulist = value
  kTable,
  kTables, ///< an array of tables
};

/// How much of a key this version does.
enum class Support : std::uint8_t {
  kFull,
  kLater, ///< known, and refused
};

struct KeyRow {
  KeySection section;
  std::string_view name;
  KeyType type;
  double least = 0; ///< of kInteger and kNumber
  double most = 0;
  bool most_is_cpus = false;   ///< the most is as many vCPUs as the backend takes
  std::string_view values{};   ///< the range or the form, in words
  std::string_view fallback{}; ///< the default as TOML; in words when `derived`
  bool derived = false;        ///< the default depends on other keys
  bool required = false;
  Support support = Support::kFull;
  std::span<const std::string_view> choices{};
  std::string_view about{};
};

[[nodiscard]] std::span<const KeyRow> all_keys();

/// The rows of one section, in the order in which they are printed.
[[nodiscard]] std::span<const KeyRow> keys_of(KeySection section);

/// The row of a key, or null.
[[nodiscard]] const KeyRow *find_key(KeySection section, std::string_view name);

/// The most that a number may be, and its range in words, with a backend that takes so many vCPUs.
[[nodiscard]] double most_of(const KeyRow &row, std::uint32_t most_cpus);
[[nodiscard]] std::string values_of(const KeyRow &row, std::uint32_t most_cpus);

/// "[machine]", "[[fault]]"; empty for the root.
[[nodiscard]] std::string_view header(KeySection section);

/// The section of a table by its name in full: "machine", "fault", "sim.latency".
[[nodiscard]] std::optional<KeySection> section_called(std::string_view name);

/// The table of docs/scenario.md.
[[nodiscard]] std::string keys_as_markdown();

} // namespace reveille::vmm
