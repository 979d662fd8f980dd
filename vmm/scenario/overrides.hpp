// --set key=value: changes to a document before it is checked.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/scenario/document.hpp"

#include <string>
#include <vector>

namespace reveille::vmm {

/// Applies them in order, and returns their keys. `sets`: "machine.apic=user", "fault.0.cpu=3".
[[nodiscard]] Result<std::vector<std::string>> apply_overrides(Node &root,
                                                               const std::vector<std::string> &sets);

/// Whether they can be right for any scenario at all: each is KEY=VALUE with a TOML value, and its key is one
/// that scenarios have. What fits some scenarios and not others (a fault's number, a range) is not looked at.
[[nodiscard]] Result<void> check_overrides(const std::vector<std::string> &sets);

} // namespace reveille::vmm
