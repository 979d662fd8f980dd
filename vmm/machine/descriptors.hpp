// Room for the file descriptors of a machine.
#pragma once

#include "vmm/base/error.hpp"

#include <cstdint>

namespace reveille::vmm {

/// Makes sure that the process may hold a descriptor per vCPU and some, and that the kernel's table has
/// grown to it now: growing it once there are threads costs a grace period each time. Call
/// it before threads start. Fails with kUnsupported when the hard limit is too low.
[[nodiscard]] Result<void> make_room_for_descriptors(std::uint32_t vcpus);

} // namespace reveille::vmm
