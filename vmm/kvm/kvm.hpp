// /dev/kvm: what this host's KVM offers, and the way to a VM.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/base/fd.hpp"
#include "vmm/kvm/vm.hpp"

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace reveille::vmm {

/// Owns the /dev/kvm descriptor. Opening checks the API version and every capability that
/// the lab cannot do without, so that later failures are not about those.
class Kvm {
public:
  /// Opens KVM. Fails with kUnsupported and one message that says what is missing (no
  /// device, no permission, another API version, a capability by name) and what to do.
  /// Source: KVM API, 4.1 KVM_GET_API_VERSION, 4.4 KVM_CHECK_EXTENSION.
  [[nodiscard]] static Result<Kvm> open(const std::string &path = "/dev/kvm");

  [[nodiscard]] Result<Vm> create_vm() const;

  /// What KVM answers for a KVM_CAP_...; 0: not there.
  [[nodiscard]] int capability(std::uint32_t cap) const;

  [[nodiscard]] int api_version() const { return api_version_; }
  [[nodiscard]] std::uint32_t recommended_vcpus() const;
  [[nodiscard]] std::uint32_t max_vcpus() const;
  [[nodiscard]] std::uint32_t max_vcpu_id() const; ///< one more than the highest ID

  /// The CPUID leaves that this KVM can give a guest (KVM API, 4.46 KVM_GET_SUPPORTED_CPUID).
  [[nodiscard]] Result<std::vector<kvm_cpuid_entry2>> supported_cpuid() const;

  /// The MSRs that a vCPU may have and that can be written back (KVM API, 4.3 KVM_GET_MSR_INDEX_LIST).
  [[nodiscard]] Result<std::vector<std::uint32_t>> msr_indices() const;

private:
  Kvm(Fd fd, int api_version, std::size_t run_size)
      : fd_(std::move(fd)), api_version_(api_version), run_size_(run_size) {}

  Fd fd_;
  int api_version_;
  std::size_t run_size_; ///< bytes of a vCPU's run page
};

} // namespace reveille::vmm
