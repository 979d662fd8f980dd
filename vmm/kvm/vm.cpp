#include "vmm/kvm/vm.hpp"

#include "vmm/kvm/call.hpp"

#include <linux/kvm.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace reveille::vmm {
namespace {

// Where KVM on Intel may put its real-mode helper pages: below the firmware's place at the
// top of 4 GiB, where no machine of ours has RAM (KVM API, 4.36 and 4.41).
constexpr std::uint64_t kIdentityMap = 0xfffbc000;
constexpr unsigned long kTssPages = 0xfffbd000;

// An interrupt message: SDM 3, 11.11.1 "Message Address Register Format" and 11.11.2
// "Message Data Register Format".
constexpr std::uint32_t kMsiAddress = 0xfee00000;
constexpr std::uint32_t kMsiAssert = 1u << 14;
constexpr unsigned kMsiDeliveryShift = 8;

// Routes that KVM keeps for an I/O APIC in user space: the pins of the usual one. There is none
// here, but KVM wants a number.
constexpr std::uint64_t kIoApicPins = 24;

} // namespace

Result<void> Vm::prepare() {
  const std::uint64_t identity = kIdentityMap;
  if (const auto r = call(fd_, KVM_SET_IDENTITY_MAP_ADDR, "KVM_SET_IDENTITY_MAP_ADDR", &identity); !r)
    return tl::unexpected(r.error());
  if (const auto r = call(fd_, KVM_SET_TSS_ADDR, "KVM_SET_TSS_ADDR", kTssPages); !r)
    return tl::unexpected(r.error());
  // Wanted, not needed: nothing is said when they are missing.
  (void)enable(KVM_CAP_EXIT_ON_EMULATION_FAILURE, "KVM_CAP_EXIT_ON_EMULATION_FAILURE", 1);
  triple_fault_events_ =
      enable(KVM_CAP_X86_TRIPLE_FAULT_EVENT, "KVM_CAP_X86_TRIPLE_FAULT_EVENT", 1).has_value();
  return {};
}

int Vm::capability(std::uint32_t cap) const {
  return std::max(0, call(fd_, KVM_CHECK_EXTENSION, "KVM_CHECK_EXTENSION", cap).value_or(0));
}

Result<void> Vm::enable(std::uint32_t cap, const char *name, std::uint64_t arg) const {
  kvm_enable_cap request = {};
  request.cap = cap;
  request.args[0] = arg;
  if (const auto r = call(fd_, KVM_ENABLE_CAP, fmt::format("KVM_ENABLE_CAP {}", name), &request); !r)
    return tl::unexpected(r.error());
  return {};
}

Result<void> Vm::add_memory(std::uint32_t slot, std::uint64_t gpa, std::span<std::byte> host) {
  kvm_userspace_memory_region region = {};
  region.slot = slot;
  region.guest_phys_addr = gpa;
  region.memory_size = host.size();
  region.userspace_addr = reinterpret_cast<std::uint64_t>(host.data());
  const auto what = fmt::format("KVM_SET_USER_MEMORY_REGION ({} MiB at {:#x})", host.size() >> 20, gpa);
  if (const auto r = call(fd_, KVM_SET_USER_MEMORY_REGION, what, &region); !r)
    return tl::unexpected(r.error());
  return {};
}

Result<void> Vm::create_irqchip() {
  if (const auto r = call(fd_, KVM_CREATE_IRQCHIP, "KVM_CREATE_IRQCHIP", 0); !r)
    return tl::unexpected(r.error());
  return {};
}

Result<void> Vm::create_split_irqchip() {
  return enable(KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP", kIoApicPins);
}

Result<void> Vm::hand_over_msrs(std::span<const HandedMsr> msrs) {
  constexpr std::uint64_t kReasons =
      KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER;
  if (auto r = enable(KVM_CAP_X86_USER_SPACE_MSR, "KVM_CAP_X86_USER_SPACE_MSR", kReasons); !r)
    return r;
  std::uint8_t refused = 0; // a bitmap of one MSR: not allowed
  kvm_msr_filter filter = {};
  filter.flags = KVM_MSR_FILTER_DEFAULT_ALLOW;
  if (msrs.size() > std::size(filter.ranges))
    return fail(ExitStatus::kBroken, fmt::format("{} MSRs are more than KVM's filter takes", msrs.size()));
  for (std::size_t i = 0; i < msrs.size(); ++i) {
    kvm_msr_filter_range &range = filter.ranges[i];
    range.flags = (msrs[i].reads ? KVM_MSR_FILTER_READ : 0u) | (msrs[i].writes ? KVM_MSR_FILTER_WRITE : 0u);
    range.nmsrs = 1;
    range.base = msrs[i].index;
    range.bitmap = &refused;
  }
  if (const auto r = call(fd_, KVM_X86_SET_MSR_FILTER, "KVM_X86_SET_MSR_FILTER", &filter); !r)
    return tl::unexpected(r.error());
  return {};
}

Result<void> Vm::allow_wide_apic_ids() {
  constexpr std::uint64_t kFlags = KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
  if ((static_cast<std::uint64_t>(capability(KVM_CAP_X2APIC_API)) & kFlags) != kFlags)
    return fail(
        ExitStatus::kUnsupported,
        "this host's KVM lacks KVM_CAP_X2APIC_API, which APIC IDs above 254 need; use at most 255 vCPUs");
  if (auto r = enable(KVM_CAP_X2APIC_API, "KVM_CAP_X2APIC_API", kFlags); !r)
    return r;
  wide_ids_ = true;
  return {};
}

Result<Vcpu> Vm::create_vcpu(std::uint32_t id) {
  const auto what = fmt::format("KVM_CREATE_VCPU (ID {})", id);
  const auto made = call(fd_, KVM_CREATE_VCPU, what, static_cast<unsigned long>(id));
  if (!made)
    return fail(ExitStatus::kUnsupported,
                fmt::format("{}; use fewer vCPUs, or free memory and descriptors", made.error().message));
  Fd fd(*made);
  Mapping run = Mapping::map(fd.get(), run_size_);
  if (!run.is_mapped())
    return fail(ExitStatus::kUnsupported,
                fmt::format("mapping the run page of vCPU {} failed: {}; the limit on mappings "
                            "(vm.max_map_count) or on memory is too low",
                            id, std::strerror(errno)));
  return Vcpu(std::move(fd), std::move(run), id, triple_fault_events_);
}

Result<void> Vm::signal_msi(std::uint32_t apic_id, const lapic::Message &message) const {
  const auto mode = static_cast<std::uint32_t>(message.delivery);
  const std::uint32_t data = kMsiAssert | (mode << kMsiDeliveryShift) | message.vector;
  kvm_msi msi = {};
  msi.address_lo = kMsiAddress | ((apic_id & 0xff) << 12);
  msi.address_hi = wide_ids_ ? apic_id & 0xffffff00 : 0; // bits 31:8 of the ID, KVM_CAP_X2APIC_API
  msi.data = data;
  const auto what = fmt::format("KVM_SIGNAL_MSI {:#x} to APIC ID {}", data, apic_id);
  const auto sent = call(fd_, KVM_SIGNAL_MSI, what, &msi, ExitStatus::kBroken);
  if (!sent)
    return tl::unexpected(sent.error());
  if (*sent == 0 && message.delivery != lapic::Delivery::kFixed)
    return fail(ExitStatus::kBroken, what + ": no LAPIC took it");
  return {};
}

Result<Vm::Irqchips> Vm::irqchips() const {
  Irqchips chips = {};
  for (std::uint32_t id = 0; id < chips.size(); ++id) {
    chips[id].chip_id = id;
    if (const auto r = call(fd_, KVM_GET_IRQCHIP, fmt::format("KVM_GET_IRQCHIP {}", id), &chips[id]); !r)
      return tl::unexpected(r.error());
  }
  return chips;
}

Result<void> Vm::set_irqchips(const Irqchips &chips) {
  for (const kvm_irqchip &chip : chips)
    if (const auto r = call(fd_, KVM_SET_IRQCHIP, fmt::format("KVM_SET_IRQCHIP {}", chip.chip_id), &chip); !r)
      return tl::unexpected(r.error());
  return {};
}

} // namespace reveille::vmm
