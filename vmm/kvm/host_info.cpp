#include "vmm/kvm/host_info.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

namespace reveille::vmm {
namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  }
  return "unknown";
}

} // namespace

HostInfo host_info(const Kvm &kvm) {
  HostInfo info;
  utsname names = {};
  if (::uname(&names) == 0)
    info.kernel = names.release;
  info.cpu_model = cpu_model();
  if (const long online = ::sysconf(_SC_NPROCESSORS_ONLN); online > 0)
    info.cpus_online = static_cast<std::uint32_t>(online);
  info.kvm_api = kvm.api_version();
  info.kvm_recommended_vcpus = kvm.recommended_vcpus();
  info.kvm_max_vcpus = kvm.max_vcpus();
  info.kvm_max_vcpu_id = kvm.max_vcpu_id();
  return info;
}

} // namespace reveille::vmm
