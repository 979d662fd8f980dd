// The chance that a fault with a probability takes: the same for whoever asks.
#pragma once

#include "vmm/scenario/scenario.hpp"

#include <cstddef>

namespace reveille::vmm {

/// Whether the fault, index in Scenario::faults, fires on `cpu` at its chance number `chance`, from 0.
[[nodiscard]] bool is_lucky(std::uint64_t seed, std::size_t fault, const FaultSpec &spec, CpuIndex cpu,
                            std::uint32_t chance);

} // namespace reveille::vmm
