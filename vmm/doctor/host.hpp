// What of this host matters to the lab, apart from KVM.
#pragma once

#include "vmm/probe/probes.hpp"

namespace reveille::vmm {

/// How many processors this process may use.
[[nodiscard]] Finding probe_processors();

/// Whether the memory that is available is enough for 1024 vCPUs. Source: proc(5), /proc/meminfo.
[[nodiscard]] Finding probe_memory();

/// Whether the process may hold a file descriptor for each of 1024 vCPUs. Raises its soft limit to that.
[[nodiscard]] Finding probe_descriptors();

/// Starts a thread for each of 1024 vCPUs beside the memory of such a machine, which nothing touches. Finds
/// limits of threads and of addresses: setrlimit(2), RLIMIT_NPROC and RLIMIT_AS; pids.max of the cgroup.
[[nodiscard]] Finding probe_threads();

} // namespace reveille::vmm
