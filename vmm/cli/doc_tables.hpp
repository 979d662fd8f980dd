// Tables of the docs that belong to no layer below: those of the protocol, which has no text of
// its own to print, and that of the invariants.
#pragma once

#include <string>

namespace reveille::vmm {

/// The transition table: who owns each state, and what may follow it (docs/protocol.md).
[[nodiscard]] std::string states_as_markdown();

/// The points and the states that make them (docs/protocol.md).
[[nodiscard]] std::string points_as_markdown();

/// The invariants, and whether a run on KVM can see them (docs/reading-results.md).
[[nodiscard]] std::string invariants_as_markdown();

/// What the time of a run goes into (docs/reading-results.md).
[[nodiscard]] std::string blame_as_markdown();

} // namespace reveille::vmm
