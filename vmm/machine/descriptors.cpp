#include "vmm/machine/descriptors.hpp"

#include "vmm/base/fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>

namespace reveille::vmm {

Result<void> make_room_for_descriptors(std::uint32_t vcpus) {
  constexpr rlim_t kOthers = 128; // files, pipes, other machines in the same process
  const rlim_t wanted = vcpus + kOthers;
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
    if (limit.rlim_max < wanted)
      return fail(
          ExitStatus::kUnsupported,
          fmt::format("{} vCPUs take {} file descriptors and this process may have {}; raise the hard limit "
                      "(ulimit -Hn {}), or use fewer vCPUs",
                      vcpus, wanted, limit.rlim_max, wanted));
    limit.rlim_cur = wanted;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  // A descriptor with a high number makes the table grow, and a table never shrinks.
  const Fd low(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd high(::fcntl(low.get(), F_DUPFD_CLOEXEC, static_cast<int>(wanted) - 1));
  return {};
}

} // namespace reveille::vmm
