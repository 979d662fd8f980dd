// The power management timer, as the FADT describes it.
#pragma once

#include "guest/acpi/find.hpp"

#include <cstdint>

namespace reveille::guest::acpi {

struct PmTimerBlock {
  std::uint16_t port = 0; ///< 0: there is none
  bool is_32_bit = false;
};

[[nodiscard]] inline PmTimerBlock find_pm_timer(const Root &root) {
  const auto *fadt = reinterpret_cast<const Fadt *>(root.table(Fadt::kSignature, sizeof(Fadt)));
  if (fadt == nullptr || (fadt->flags & Fadt::kHardwareReduced) != 0 || fadt->pm_timer_length != 4 ||
      fadt->pm_timer_block == 0 || fadt->pm_timer_block > 0xffff - 3)
    return {};
  return {static_cast<std::uint16_t>(fadt->pm_timer_block), (fadt->flags & Fadt::kTimerIs32Bit) != 0};
}

} // namespace reveille::guest::acpi
