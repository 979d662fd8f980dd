// What the host can do to a vCPU, as a table.
#pragma once

#include "vmm/scenario/scenario.hpp"

#include <span>
#include <string>
#include <string_view>

namespace reveille::vmm {

/// What an action makes of `duration_ms`.
enum class Duration : std::uint8_t {
  kNone,     ///< takes none
  kRequired, ///< over 0
  kEndless,  ///< 0, the default, is for ever
};

struct ActionRow {
  std::string_view name;
  Action action;
  Duration duration;
  std::string_view keys;  ///< its own, comma-separated; required but for duration_ms, error, one of jump's
  std::string_view where; ///< in words
  std::string_view about;
};

[[nodiscard]] std::span<const ActionRow> all_actions();

/// The row of a name, or null.
[[nodiscard]] const ActionRow *find_action(std::string_view name);

[[nodiscard]] std::string_view name(Action action);

/// Whether it takes that key of its own.
[[nodiscard]] bool takes(const ActionRow &row, std::string_view key);

/// The table of docs/faults.md.
[[nodiscard]] std::string actions_as_markdown();

} // namespace reveille::vmm
