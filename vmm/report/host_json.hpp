// The host of a run as JSON: the same in a result and on a page.
#pragma once

#include "vmm/kvm/host_info.hpp"

#include <nlohmann/json.hpp>

namespace reveille::vmm {

[[nodiscard]] inline nlohmann::ordered_json host_json(const HostInfo &host) {
  return {{"kernel", host.kernel},
          {"cpu_model", host.cpu_model},
          {"cpus_online", host.cpus_online},
          {"kvm_api", host.kvm_api},
          {"kvm_recommended_vcpus", host.kvm_recommended_vcpus},
          {"kvm_max_vcpus", host.kvm_max_vcpus},
          {"kvm_max_vcpu_id", host.kvm_max_vcpu_id}};
}

} // namespace reveille::vmm
