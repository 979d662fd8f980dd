// What of this host a scenario needs, beyond what every scenario does.
#pragma once

#include "vmm/kvm/kvm.hpp"
#include "vmm/scenario/scenario.hpp"

namespace reveille::vmm {

/// Runs the probes of what `scenario` asks for, and no others. Fails with kUnsupported and says what
/// is missing, what asks for it, and what to do.
[[nodiscard]] Result<void> check_needs(const Kvm &kvm, const Scenario &scenario);

} // namespace reveille::vmm
