#include "vmm/machine/descriptors.hpp"

#include "vmm/base/descriptor_limit.hpp"
#include "vmm/base/fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>

namespace reveille::vmm {

Result<void> make_room_for_descriptors(std::uint32_t vcpus) {
  constexpr std::uint64_t kOthers = 128; // files, pipes, other machines in the same process
  const std::uint64_t wanted = vcpus + kOthers;
  if (const std::uint64_t most = allow_descriptors(wanted); most < wanted)
    return fail(
        ExitStatus::kUnsupported,
        fmt::format("{} vCPUs take {} file descriptors and this process may have {}; raise the hard limit "
                    "(ulimit -Hn {}), or use fewer vCPUs",
                    vcpus, wanted, most, wanted));
  // A descriptor with a high number makes the table grow, and a table never shrinks.
  const Fd low(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd high(::fcntl(low.get(), F_DUPFD_CLOEXEC, static_cast<int>(wanted) - 1));
  return {};
}

} // namespace reveille::vmm
