#include "vmm/doctor/checks.hpp"

#include "vmm/doctor/host.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace reveille::vmm {
namespace {

struct Capability {
  std::uint32_t cap;
  std::string_view name; ///< without KVM_CAP_
};

/// What the lab uses where it is there. Without those that it cannot do without KVM is not even opened.
constexpr Capability kWanted[] = {
    {KVM_CAP_X2APIC_API, "X2APIC_API"},
    {KVM_CAP_SPLIT_IRQCHIP, "SPLIT_IRQCHIP"},
    {KVM_CAP_X86_USER_SPACE_MSR, "X86_USER_SPACE_MSR"},
    {KVM_CAP_SET_GUEST_DEBUG, "SET_GUEST_DEBUG"},
    {KVM_CAP_VCPU_ATTRIBUTES, "VCPU_ATTRIBUTES"},
    {KVM_CAP_TSC_DEADLINE_TIMER, "TSC_DEADLINE_TIMER"},
    {KVM_CAP_EXIT_ON_EMULATION_FAILURE, "EXIT_ON_EMULATION_FAILURE"},
    {KVM_CAP_X86_TRIPLE_FAULT_EVENT, "X86_TRIPLE_FAULT_EVENT"},
};

Finding check_capabilities(const Kvm &kvm) {
  std::vector<std::string_view> missing;
  for (const Capability &wanted : kWanted)
    if (kvm.capability(wanted.cap) == 0)
      missing.push_back(wanted.name);
  if (missing.empty())
    return {Standing::kWorks, "all that the lab uses"};
  return {Standing::kPartly, fmt::format("not KVM_CAP_{}", fmt::join(missing, ", KVM_CAP_"))};
}

constexpr Check kChecks[] = {
    {"capabilities", check_capabilities, nullptr, false, "what is named below, and what is told of a crash",
     "a newer kernel"},
    {"kernel LAPIC", probe_kernel_lapic, nullptr, true, "apic = \"kernel\", the default",
     "a kernel whose KVM has an irqchip"},
    {"split LAPIC", probe_split_lapic, nullptr, false, "apic = \"split\"",
     "a newer kernel; or apic = \"kernel\""},
    {"user LAPIC", probe_user_lapic, nullptr, false, "apic = \"user\"",
     "a newer kernel; or apic = \"kernel\""},
    {"wide APIC IDs", probe_wide_apic_ids, nullptr, false, "more than 255 vCPUs",
     "a newer kernel; or at most 255 vCPUs"},
    {"vCPUs", probe_vcpu_limits, nullptr, false, "scenarios with more vCPUs, up to 1024", "fewer vCPUs"},
    {"breakpoints", probe_breakpoints, nullptr, false, "faults at instructions, and at INITs and SIPIs",
     "faults at points, steps, exits and times need none"},
    {"TSC offset", probe_tsc_offset, nullptr, false, "the action skew", "a KVM with hardware virtualisation"},
    {"instructions", probe_instructions, nullptr, false, "a kernel of your own; guest.elf does without them",
     "a KVM with hardware virtualisation, or a kernel that does without them"},
    {"processors", nullptr, probe_processors, false,
     "wait = \"spin\", within_ms, short timeouts with many vCPUs",
     "wait = \"halt\", longer timeouts, fewer vCPUs"},
    {"memory", nullptr, probe_memory, false, "scenarios with many vCPUs",
     "fewer vCPUs, or a smaller memory_mib"},
    {"descriptors", nullptr, probe_descriptors, true, "scenarios with many vCPUs",
     "a higher hard limit (ulimit -Hn), or fewer vCPUs"},
    {"threads", nullptr, probe_threads, true, "scenarios with many vCPUs",
     "higher limits of threads and addresses (ulimit -u, ulimit -v; pids.max of the cgroup), or fewer vCPUs"},
};

} // namespace

std::span<const Check> all_checks() { return kChecks; }

} // namespace reveille::vmm
