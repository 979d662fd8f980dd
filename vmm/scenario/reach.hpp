// Which faults keep others from ever firing.
#pragma once

#include "vmm/scenario/build.hpp"

namespace reveille::vmm {

/// Why a fault can never fire on a CPU that another one strikes too.
enum class Hidden : std::uint8_t {
  kNo,       ///< it can, as far as the other one goes
  kByIt,     ///< the other one ends each attempt before that
  kCycleOut, ///< the other one makes the CPU fail for good in an earlier cycle
  kNoStart,  ///< by the other one the CPU is never started
};

/// Whether `by` hides `fault` on a CPU that both strike; `first`: `by` stands before it in the
/// file, and so strikes first at the same place.
[[nodiscard]] Hidden hides(const FaultSpec &by, bool first, const FaultSpec &fault, const Limits &limits);

/// Whether each AP has to be kicked by itself: a fault strikes at the kick or at a delivery, or at an
/// instruction of the control CPU, or the firmware tells of other CPUs than there are.
[[nodiscard]] bool kicks_one_by_one(const Scenario &scenario);

/// The first cycle in which a fault strikes.
[[nodiscard]] std::uint32_t first_cycle(const FaultSpec &fault);

/// Whether a CPU of `fault`, which is at a place of the way down, can get there: on the way down
/// that ends its cycle, or when one of `faults` makes a step fail.
[[nodiscard]] bool goes_down(const FaultSpec &fault, CpuIndex cpu, std::span<const FaultSpec> faults,
                             const Limits &limits);

} // namespace reveille::vmm
