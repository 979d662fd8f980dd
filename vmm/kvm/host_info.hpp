// What machine a result was measured on.
#pragma once

#include "vmm/kvm/kvm.hpp"

#include <cstdint>
#include <string>

namespace reveille::vmm {

struct HostInfo {
  std::string kernel;    ///< release, as uname -r prints it
  std::string cpu_model; ///< "unknown" when /proc/cpuinfo does not say
  std::uint32_t cpus_online = 0;
  int kvm_api = 0;
  std::uint32_t kvm_recommended_vcpus = 0;
  std::uint32_t kvm_max_vcpus = 0;
  std::uint32_t kvm_max_vcpu_id = 0; ///< one more than the highest ID
};

/// Reads it from the kernel. Never fails: what cannot be found out stays at its default.
[[nodiscard]] HostInfo host_info(const Kvm &kvm);

} // namespace reveille::vmm
