// How many vCPUs there may be, and with what IDs.
#include "vmm/probe/probes.hpp"
#include "vmm/probe/tiny_guest.hpp"

#include "core/abi/control_page.hpp"

#include <fmt/format.h>

#include <array>

namespace reveille::vmm {

Finding probe_vcpu_limits(const Kvm &kvm) {
  const std::uint32_t vcpus = kvm.max_vcpus();
  const std::uint32_t highest = kvm.max_vcpu_id() - 1;
  const std::string said = fmt::format("{} in one machine, IDs up to {}", vcpus, highest);
  if (const auto guest = TinyGuest::create(kvm, LapicKeeper::kNobody, std::array{highest}); !guest)
    return {Standing::kPartly, fmt::format("KVM says {}, but {}", said, guest.error().message)};
  const bool all = vcpus >= abi::kMaxCpus && highest + 1 >= abi::kMaxCpus;
  return {all ? Standing::kWorks : Standing::kPartly, said + "; the highest was created"};
}

} // namespace reveille::vmm
