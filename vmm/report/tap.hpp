// Results as TAP, the Test Anything Protocol: what prove, Jenkins' TAP plugin and many harnesses read.
#pragma once

#include "vmm/report/junit.hpp"

#include <cstddef>
#include <string>

namespace reveille::vmm {

/// The version and the plan. Version 13, whose form 14 has kept, because Perl's TAP::Parser takes no later
/// one. Source: testanything.org/tap-version-13-specification.html.
[[nodiscard]] std::string tap_head(std::size_t tests);

/// A run as a test point, with a block of YAML for one that did not pass. `number`: from 1. What a harness
/// would take for a directive in a file's name is escaped.
[[nodiscard]] std::string tap_point(std::size_t number, const JunitCase &of);

/// That no more test points follow, and why.
[[nodiscard]] std::string tap_bail_out(const std::string &why);

} // namespace reveille::vmm
