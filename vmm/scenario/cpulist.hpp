// CPU lists as the kernel writes them: "0-3,8".
#pragma once

#include "vmm/scenario/scenario.hpp"

#include <tl/expected.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// Reads a list. The CPUs come sorted, without duplicates, each below `cpus`; the error
/// is a reason without a place. "all" is the caller's business.
[[nodiscard]] tl::expected<std::vector<CpuIndex>, std::string> parse_cpulist(std::string_view text,
                                                                             CpuIndex cpus);

/// Writes sorted CPUs as a list.
[[nodiscard]] std::string format_cpulist(const std::vector<CpuIndex> &cpus);

/// first..last, both included.
[[nodiscard]] std::vector<CpuIndex> cpu_range(CpuIndex first, CpuIndex last);

/// Why a CPU does not exist.
[[nodiscard]] std::string no_such_cpu(std::string_view cpu, CpuIndex cpus);

} // namespace reveille::vmm
