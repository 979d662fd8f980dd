// The one place where ioctl is called, and where its errors become messages.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/base/fd.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace reveille::vmm {

/// Calls ioctl(fd, request, argument) again for as long as a signal interrupts it. The error
/// says `what` ("KVM_SET_REGS of vCPU 3") and the system's reason. Not for KVM_RUN.
template <class Argument>
[[nodiscard]] Result<int> call(const Fd &fd, unsigned long request, std::string_view what, Argument argument,
                               ExitStatus status = ExitStatus::kUnsupported) {
  int result = 0;
  do {
    result = ::ioctl(fd.get(), request, argument);
  } while (result < 0 && errno == EINTR);
  if (result < 0)
    return fail(status, fmt::format("{} failed: {}", what, std::strerror(errno)));
  return result;
}

} // namespace reveille::vmm
