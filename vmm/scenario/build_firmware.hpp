// What faults at "firmware" may not say of CPUs, one by one and together.
#pragma once

#include "vmm/scenario/build.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reveille::vmm {

struct FirmwareMistake {
  std::string_view key; ///< of the fault
  std::string what;
};

/// What is wrong with fault `which`, given those before it in the file; nothing of one at another place.
[[nodiscard]] std::optional<FirmwareMistake> firmware_mistake(std::span<const FaultSpec> faults,
                                                              std::size_t which, const Limits &limits);

} // namespace reveille::vmm
