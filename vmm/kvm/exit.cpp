#include "vmm/kvm/exit.hpp"

#include <fmt/format.h>
#include <linux/kvm.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace reveille::vmm {
namespace {

struct ReasonName {
  std::uint32_t reason;
  std::string_view name;
};

constexpr ReasonName kReasonNames[] = {
    {KVM_EXIT_UNKNOWN, "KVM_EXIT_UNKNOWN"},
    {KVM_EXIT_EXCEPTION, "KVM_EXIT_EXCEPTION"},
    {KVM_EXIT_HYPERCALL, "KVM_EXIT_HYPERCALL"},
    {KVM_EXIT_INTR, "KVM_EXIT_INTR"},
    {KVM_EXIT_TPR_ACCESS, "KVM_EXIT_TPR_ACCESS"},
    {KVM_EXIT_NMI, "KVM_EXIT_NMI"},
    {KVM_EXIT_WATCHDOG, "KVM_EXIT_WATCHDOG"},
    {KVM_EXIT_IOAPIC_EOI, "KVM_EXIT_IOAPIC_EOI"},
    {KVM_EXIT_HYPERV, "KVM_EXIT_HYPERV"},
    {KVM_EXIT_DIRTY_RING_FULL, "KVM_EXIT_DIRTY_RING_FULL"},
    {KVM_EXIT_AP_RESET_HOLD, "KVM_EXIT_AP_RESET_HOLD"},
    {KVM_EXIT_X86_BUS_LOCK, "KVM_EXIT_X86_BUS_LOCK"},
    {KVM_EXIT_XEN, "KVM_EXIT_XEN"},
    {KVM_EXIT_NOTIFY, "KVM_EXIT_NOTIFY"},
};

std::string_view reason_name(std::uint32_t reason) {
  const auto *row = std::find_if(std::begin(kReasonNames), std::end(kReasonNames),
                                 [&](const ReasonName &r) { return r.reason == reason; });
  return row != std::end(kReasonNames) ? row->name : "a reason that this program does not know";
}

std::string_view suberror_name(std::uint32_t suberror) {
  switch (suberror) {
  case KVM_INTERNAL_ERROR_EMULATION:
    return "an instruction that KVM cannot emulate";
  case KVM_INTERNAL_ERROR_SIMUL_EX:
    return "exceptions at the same time";
  case KVM_INTERNAL_ERROR_DELIVERY_EV:
    return "an exit while an event was delivered";
  case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON:
    return "an exit reason of the hardware that KVM does not know";
  default:
    return "suberror that this program does not know";
  }
}

struct Describer {
  std::string operator()(const IoOut &e) const {
    return e.count == 1 ? fmt::format("out port {:#x}, {:#0{}x}", e.port, e.value(), 2 + 2 * e.size)
                        : fmt::format("outs port {:#x}, {} items of {} bytes", e.port, e.count, e.size);
  }
  std::string operator()(const IoIn &e) const {
    return e.count == 1 ? fmt::format("in port {:#x}, {} bytes", e.port, e.size)
                        : fmt::format("ins port {:#x}, {} items of {} bytes", e.port, e.count, e.size);
  }
  std::string operator()(const MmioRead &e) const {
    return fmt::format("read of {} bytes at {:#x}, where there is no memory", e.size, e.gpa);
  }
  std::string operator()(const MmioWrite &e) const {
    return fmt::format("write of {:#x} ({} bytes) at {:#x}, where there is no memory", e.value, e.size,
                       e.gpa);
  }
  std::string operator()(const MsrRead &e) const { return fmt::format("read of MSR {:#x}", e.index); }
  std::string operator()(const MsrWrite &e) const {
    return fmt::format("write of {:#x} to MSR {:#x}", e.value, e.index);
  }
  std::string operator()(const InterruptWindow &) const { return "can take an interrupt"; }
  std::string operator()(const Hlt &) const { return "halted"; }
  std::string operator()(const Shutdown &) const { return "triple fault"; }
  std::string operator()(const InternalError &e) const {
    std::string text = fmt::format("KVM internal error {}: {}", e.suberror, suberror_name(e.suberror));
    for (std::size_t i = 0; i < e.length && i < e.bytes.size(); ++i)
      text += fmt::format("{}{:02x}", i == 0 ? ", bytes " : " ", e.bytes[i]);
    return text;
  }
  std::string operator()(const FailEntry &e) const {
    return fmt::format("entry to the guest failed, hardware reason {:#x} on host CPU {}", e.hardware_reason,
                       e.host_cpu);
  }
  std::string operator()(const SystemEvent &e) const { return fmt::format("system event {}", e.type); }
  std::string operator()(const Debug &e) const {
    return fmt::format("debug exception {} at {:#x}, DR6 {:#x}", e.exception, e.pc, e.dr6);
  }
  std::string operator()(const Interrupted &) const { return "interrupted"; }
  std::string operator()(const RunFailed &e) const {
    return fmt::format("KVM_RUN failed: {}", std::strerror(e.error));
  }
  std::string operator()(const UnknownExit &e) const {
    return fmt::format("exit reason {}, {}", e.reason, reason_name(e.reason));
  }
};

} // namespace

std::uint32_t IoOut::value(std::uint32_t index) const {
  const std::uint64_t first = std::uint64_t{index} * size;
  std::uint32_t value = 0;
  for (std::uint64_t i = 0; i < size && i < sizeof value && first + i < data.size(); ++i)
    value |= std::uint32_t{data[first + i]} << (8 * i);
  return value;
}

std::string describe(const Exit &exit) { return std::visit(Describer{}, exit); }

} // namespace reveille::vmm
