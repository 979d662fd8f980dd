// What KVM has counted of a VM or of a vCPU.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/base/fd.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace reveille::vmm {

struct KvmStat {
  std::string name; ///< as the kernel calls it: "exits", "insn_emulation"; they differ between kernels
  std::uint64_t value = 0;
};

/// Reads all single counters behind a descriptor of KVM_GET_STATS_FD; histograms are left out. Fails with
/// kBroken when what the kernel gives cannot be read.
/// Source: KVM API, 4.133 KVM_GET_STATS_FD.
[[nodiscard]] Result<std::vector<KvmStat>> read_stats(const Fd &stats);

} // namespace reveille::vmm
