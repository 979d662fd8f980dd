#include "vmm/base/descriptor_limit.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace reveille::vmm {

std::uint64_t allow_descriptors(std::uint64_t wanted) {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return wanted;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

} // namespace reveille::vmm
