#include "vmm/kvm/kvm.hpp"

#include "vmm/kvm/call.hpp"
#include "vmm/kvm/lists.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace reveille::vmm {
namespace {

struct NeededCapability {
  std::uint32_t cap;
  const char *name;
};

constexpr NeededCapability kNeeded[] = {
    {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
    {KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"},
    {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
    {KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},
    {KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR"},
    {KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR"},
    {KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS"},
    {KVM_CAP_DEBUGREGS, "KVM_CAP_DEBUGREGS"},
    {KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI"},
    {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
    {KVM_CAP_GET_TSC_KHZ, "KVM_CAP_GET_TSC_KHZ"},
};

std::string open_hint(int error) {
  switch (error) {
  case ENOENT:
    return "this host offers no KVM; load the module kvm-intel or kvm-amd, turn on virtualisation in the "
           "firmware (or nested virtualisation in the host of this VM), or pass the device into the "
           "container";
  case EACCES:
  case EPERM:
    return "this user may not open it; run as root, or as a member of the device's group (usually kvm)";
  case ENODEV:
  case ENXIO:
    return "the device is there but the kernel has no KVM behind it; load the module kvm-intel or kvm-amd";
  default:
    return "KVM cannot be used here";
  }
}

Result<void> check(const Fd &fd, const std::string &path) {
  const auto version = call(fd, KVM_GET_API_VERSION, "KVM_GET_API_VERSION", 0);
  if (!version)
    return fail(ExitStatus::kUnsupported,
                fmt::format("{} does not answer as KVM does: {}; is it the right device?", path,
                            version.error().message));
  if (*version != KVM_API_VERSION)
    return fail(ExitStatus::kUnsupported, fmt::format("{} speaks KVM API version {}, this program speaks {}",
                                                      path, *version, KVM_API_VERSION));
  for (const NeededCapability &needed : kNeeded)
    if (call(fd, KVM_CHECK_EXTENSION, needed.name, needed.cap).value_or(0) <= 0)
      return fail(
          ExitStatus::kUnsupported,
          fmt::format("this host's KVM lacks {}, which the lab needs; it takes a newer kernel, or one "
                      "for x86-64",
                      needed.name));
  return {};
}

} // namespace

Result<Kvm> Kvm::open(const std::string &path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.is_open()) {
    const int error = errno;
    return fail(ExitStatus::kUnsupported,
                fmt::format("cannot open {}: {}; {}", path, std::strerror(error), open_hint(error)));
  }
  if (const auto checked = check(fd, path); !checked)
    return tl::unexpected(checked.error());
  const auto run_size = call(fd, KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE", 0);
  if (!run_size)
    return tl::unexpected(run_size.error());
  if (static_cast<std::size_t>(*run_size) < sizeof(kvm_run))
    return fail(ExitStatus::kUnsupported,
                fmt::format("KVM_GET_VCPU_MMAP_SIZE says {} bytes, fewer than a kvm_run has", *run_size));
  return Kvm(std::move(fd), KVM_API_VERSION, static_cast<std::size_t>(*run_size));
}

Result<Vm> Kvm::create_vm() const {
  const auto made = call(fd_, KVM_CREATE_VM, "KVM_CREATE_VM", 0);
  if (!made)
    return tl::unexpected(made.error());
  Vm vm(Fd(*made), run_size_);
  if (const auto prepared = vm.prepare(); !prepared)
    return tl::unexpected(prepared.error());
  return vm;
}

int Kvm::capability(std::uint32_t cap) const {
  return std::max(0, call(fd_, KVM_CHECK_EXTENSION, "KVM_CHECK_EXTENSION", cap).value_or(0));
}

// What the API says of kernels that do not answer (4.7 KVM_CREATE_VCPU): 4 recommended; the
// maximum is the recommendation; the highest ID follows from the maximum.
std::uint32_t Kvm::recommended_vcpus() const {
  const int answer = capability(KVM_CAP_NR_VCPUS);
  return answer > 0 ? static_cast<std::uint32_t>(answer) : 4;
}

std::uint32_t Kvm::max_vcpus() const {
  const int answer = capability(KVM_CAP_MAX_VCPUS);
  return answer > 0 ? static_cast<std::uint32_t>(answer) : recommended_vcpus();
}

std::uint32_t Kvm::max_vcpu_id() const {
  const int answer = capability(KVM_CAP_MAX_VCPU_ID);
  return answer > 0 ? static_cast<std::uint32_t>(answer) : max_vcpus();
}

Result<std::vector<kvm_cpuid_entry2>> Kvm::supported_cpuid() const {
  CpuidList list;
  if (const auto r = call(fd_, kGetSupportedCpuid, "KVM_GET_SUPPORTED_CPUID", &list); !r)
    return tl::unexpected(r.error());
  const auto count = std::min<std::size_t>(list.head.count, CpuidList::kRoom);
  return std::vector<kvm_cpuid_entry2>(list.entries.begin(),
                                       list.entries.begin() + static_cast<std::ptrdiff_t>(count));
}

Result<std::vector<std::uint32_t>> Kvm::msr_indices() const {
  MsrIndexList list;
  if (const auto r = call(fd_, kGetMsrIndexList, "KVM_GET_MSR_INDEX_LIST", &list); !r)
    return tl::unexpected(r.error());
  const auto count = std::min(list.count, MsrIndexList::kRoom);
  return std::vector<std::uint32_t>(list.indices.begin(), list.indices.begin() + count);
}

} // namespace reveille::vmm
