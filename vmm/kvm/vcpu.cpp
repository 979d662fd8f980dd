#include "vmm/kvm/vcpu.hpp"

#include "vmm/kvm/call.hpp"
#include "vmm/kvm/kick_signal.hpp"
#include "vmm/kvm/lists.hpp"
#include "vmm/lapic/registers.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

namespace reveille::vmm {
namespace {

constexpr std::uint32_t kMsrTsc = 0x10;      // SDM 4, table 2-2: IA32_TIME_STAMP_COUNTER
constexpr std::uint64_t kEferLma = 1u << 10; // SDM 3, 2.2.1 "Extended Feature Enable Register"
constexpr std::uint64_t kCr0Pe = 1;          // SDM 3, 2.5: protection enable
constexpr std::uint8_t kInvalidOpcode = 6;   // #UD, SDM 3, 6.15

// SDM 3, 18.2.4 "Debug Control Register (DR7)".
constexpr std::size_t kBreakpointSlots = 4;
constexpr std::uint64_t kDr7Global = 1u << 1; // G0; the others two bits apart
constexpr std::uint64_t kDr7Fixed = 1u << 10;

/// `ticks` is where the offset lies, or is to be put.
kvm_device_attr tsc_offset_attribute(std::uint64_t &ticks) {
  kvm_device_attr attribute = {};
  attribute.group = KVM_VCPU_TSC_CTRL;
  attribute.attr = KVM_VCPU_TSC_OFFSET;
  attribute.addr = reinterpret_cast<std::uint64_t>(&ticks);
  return attribute;
}

} // namespace

std::string_view name(MpState state) {
  switch (state) {
  case MpState::kRunnable:
    return "runnable";
  case MpState::kUninitialized:
    return "waits for INIT";
  case MpState::kInitReceived:
    return "waits for SIPI";
  case MpState::kHalted:
    return "halted";
  case MpState::kSipiReceived:
    return "SIPI received";
  }
  return "unknown";
}

Vcpu::ThreadBinding::ThreadBinding(ThreadBinding &&other) noexcept
    : tid_(std::exchange(other.tid_, nullptr)) {}

Vcpu::ThreadBinding::~ThreadBinding() {
  if (tid_ != nullptr)
    tid_->store(0, std::memory_order_seq_cst);
}

Vcpu::Vcpu(Fd fd, Mapping run, std::uint32_t id, bool has_triple_fault_event)
    : fd_(std::move(fd)), run_(std::move(run)), id_(id), has_triple_fault_event_(has_triple_fault_event),
      tid_(std::make_unique<std::atomic<pid_t>>(0)) {}

std::atomic_ref<std::uint8_t> Vcpu::immediate_exit() const {
  return std::atomic_ref<std::uint8_t>(run_area().immediate_exit);
}

kvm_run &Vcpu::run_area() const { return *reinterpret_cast<kvm_run *>(run_.bytes().data()); }

Vcpu::ThreadBinding Vcpu::bind_to_this_thread() {
  take_kick_signal();
  tid_->store(static_cast<pid_t>(::syscall(SYS_gettid)), std::memory_order_seq_cst);
  return ThreadBinding(tid_.get());
}

// No kick is lost: the flag is set before the thread is looked up and signalled. If the
// owner binds later, its KVM_RUN finds the flag; if it is between the kernel's look at the
// flag and sleep, the signal is pending and ends the sleep.
void Vcpu::kick() {
  immediate_exit().store(1, std::memory_order_seq_cst);
  if (const pid_t tid = tid_->load(std::memory_order_seq_cst); tid != 0)
    send_kick_signal(tid);
}

Exit Vcpu::run() {
  for (;;) {
    if (::ioctl(fd_.get(), KVM_RUN, 0) == 0)
      return decode(run_page());
    const int error = errno;
    if (error == EAGAIN)
      continue;
    if (error != EINTR)
      return RunFailed{error};
    immediate_exit().exchange(0, std::memory_order_acq_rel); // acquires what kick()'s caller wrote
    return Interrupted{};
  }
}

template <class T> Result<T> Vcpu::get(unsigned long request, const char *what) const {
  T value = {};
  if (const auto r = call(fd_, request, fmt::format("{} of vCPU {}", what, id_), &value, ExitStatus::kBroken);
      !r)
    return tl::unexpected(r.error());
  return value;
}

template <class T> Result<void> Vcpu::set(unsigned long request, const char *what, const T &value) {
  if (const auto r = call(fd_, request, fmt::format("{} of vCPU {}", what, id_), &value, ExitStatus::kBroken);
      !r)
    return tl::unexpected(r.error());
  return {};
}

Result<void> Vcpu::set_cpuid(std::span<const kvm_cpuid_entry2> entries) {
  CpuidList list;
  if (entries.size() > CpuidList::kRoom)
    return fail(ExitStatus::kBroken, fmt::format("{} CPUID entries for vCPU {}: KVM takes at most {}",
                                                 entries.size(), id_, CpuidList::kRoom));
  list.head.count = static_cast<std::uint32_t>(entries.size());
  std::copy(entries.begin(), entries.end(), list.entries.begin());
  return set(kSetCpuid2, "KVM_SET_CPUID2", list);
}

Result<kvm_regs> Vcpu::regs() const { return get<kvm_regs>(KVM_GET_REGS, "KVM_GET_REGS"); }
Result<void> Vcpu::set_regs(const kvm_regs &regs) { return set(KVM_SET_REGS, "KVM_SET_REGS", regs); }
Result<kvm_sregs> Vcpu::sregs() const { return get<kvm_sregs>(KVM_GET_SREGS, "KVM_GET_SREGS"); }
Result<void> Vcpu::set_sregs(const kvm_sregs &sregs) { return set(KVM_SET_SREGS, "KVM_SET_SREGS", sregs); }

Result<MpState> Vcpu::mp_state() const {
  return get<kvm_mp_state>(KVM_GET_MP_STATE, "KVM_GET_MP_STATE").map([](const kvm_mp_state &s) {
    return static_cast<MpState>(s.mp_state);
  });
}

Result<void> Vcpu::set_mp_state(MpState state) {
  return set(KVM_SET_MP_STATE, "KVM_SET_MP_STATE", kvm_mp_state{static_cast<std::uint32_t>(state)});
}

Result<kvm_vcpu_events> Vcpu::events() const {
  return get<kvm_vcpu_events>(KVM_GET_VCPU_EVENTS, "KVM_GET_VCPU_EVENTS");
}

Result<void> Vcpu::set_events(const kvm_vcpu_events &events) {
  return set(KVM_SET_VCPU_EVENTS, "KVM_SET_VCPU_EVENTS", events);
}

Result<kvm_debugregs> Vcpu::debugregs() const {
  return get<kvm_debugregs>(KVM_GET_DEBUGREGS, "KVM_GET_DEBUGREGS");
}

Result<void> Vcpu::set_debugregs(const kvm_debugregs &regs) {
  return set(KVM_SET_DEBUGREGS, "KVM_SET_DEBUGREGS", regs);
}

Result<kvm_lapic_state> Vcpu::lapic() const { return get<kvm_lapic_state>(KVM_GET_LAPIC, "KVM_GET_LAPIC"); }
Result<void> Vcpu::set_lapic(const kvm_lapic_state &state) {
  return set(KVM_SET_LAPIC, "KVM_SET_LAPIC", state);
}

Result<void> Vcpu::announce_lapics() {
  const auto state = lapic();
  if (!state)
    return tl::unexpected(state.error());
  return set_lapic(*state);
}

Result<void> Vcpu::enable_x2apic() {
  auto special = sregs();
  if (!special)
    return tl::unexpected(special.error());
  special->apic_base |= lapic::ApicBase::kX2apic;
  return set_sregs(*special);
}

Result<std::uint64_t> Vcpu::msr(std::uint32_t index) const {
  OneMsr list;
  list.entry.index = index;
  const auto what = fmt::format("KVM_GET_MSRS {:#x} of vCPU {}", index, id_);
  const auto read = call(fd_, kGetMsrs, what, &list, ExitStatus::kBroken);
  if (!read)
    return tl::unexpected(read.error());
  if (*read != 1)
    return fail(ExitStatus::kBroken, what + ": there is no such MSR");
  return list.entry.data;
}

Result<void> Vcpu::set_msr(std::uint32_t index, std::uint64_t value) {
  OneMsr list;
  list.entry.index = index;
  list.entry.data = value;
  const auto what = fmt::format("KVM_SET_MSRS {:#x} of vCPU {}", index, id_);
  const auto written = call(fd_, kSetMsrs, what, &list, ExitStatus::kBroken);
  if (!written)
    return tl::unexpected(written.error());
  if (*written != 1)
    return fail(ExitStatus::kBroken, fmt::format("{}: KVM does not take {:#x}", what, value));
  return {};
}

/// KVM stops at the first that it does not give, and says how far it came.
Result<std::vector<kvm_msr_entry>> Vcpu::msrs(std::span<const std::uint32_t> indices) const {
  const auto what = fmt::format("KVM_GET_MSRS of vCPU {}", id_);
  std::vector<kvm_msr_entry> all;
  all.reserve(indices.size());
  while (!indices.empty()) {
    MsrList list;
    const std::size_t count = std::min(indices.size(), MsrList::kRoom);
    list.head.count = static_cast<std::uint32_t>(count);
    for (std::size_t i = 0; i < count; ++i)
      list.entries[i].index = indices[i];
    const auto got = call(fd_, kGetMsrs, what, &list, ExitStatus::kBroken);
    if (!got)
      return tl::unexpected(got.error());
    const auto read = static_cast<std::size_t>(*got);
    all.insert(all.end(), list.entries.begin(), list.entries.begin() + *got);
    indices = indices.subspan(read < count ? read + 1 : count);
  }
  return all;
}

Result<XsaveArea> Vcpu::xsave() const { return get<XsaveArea>(kGetXsave, "KVM_GET_XSAVE"); }
Result<void> Vcpu::set_xsave(const XsaveArea &state) { return set(kSetXsave, "KVM_SET_XSAVE", state); }
Result<kvm_xcrs> Vcpu::xcrs() const { return get<kvm_xcrs>(KVM_GET_XCRS, "KVM_GET_XCRS"); }
Result<void> Vcpu::set_xcrs(const kvm_xcrs &registers) {
  return set(KVM_SET_XCRS, "KVM_SET_XCRS", registers);
}

bool Vcpu::takes_interrupts() const { return run_area().ready_for_interrupt_injection != 0; }
bool Vcpu::has_interrupts_on() const { return run_area().if_flag != 0; }
void Vcpu::want_interrupt_window(bool want) { run_area().request_interrupt_window = want ? 1 : 0; }
void Vcpu::forget_interrupt_window() { run_area().ready_for_interrupt_injection = 0; }
std::uint8_t Vcpu::cr8() const { return static_cast<std::uint8_t>(run_area().cr8 & 0xf); }
void Vcpu::set_cr8(std::uint8_t value) { run_area().cr8 = value & 0xf; }

Result<void> Vcpu::interrupt(std::uint8_t vector) {
  forget_interrupt_window();
  return set(KVM_INTERRUPT, "KVM_INTERRUPT", kvm_interrupt{vector});
}

Result<void> Vcpu::nmi() {
  if (const auto r = call(fd_, KVM_NMI, fmt::format("KVM_NMI of vCPU {}", id_), 0, ExitStatus::kBroken); !r)
    return tl::unexpected(r.error());
  return {};
}

Result<std::uint64_t> Vcpu::tsc() const { return msr(kMsrTsc); }

Result<std::uint32_t> Vcpu::tsc_khz() const {
  const auto khz = call(fd_, KVM_GET_TSC_KHZ, fmt::format("KVM_GET_TSC_KHZ of vCPU {}", id_), 0);
  if (!khz)
    return tl::unexpected(khz.error());
  return static_cast<std::uint32_t>(*khz);
}

Result<std::uint64_t> Vcpu::tsc_offset() const {
  std::uint64_t ticks = 0;
  const kvm_device_attr attribute = tsc_offset_attribute(ticks);
  const auto what = fmt::format("KVM_GET_DEVICE_ATTR TSC offset of vCPU {}", id_);
  if (const auto r = call(fd_, KVM_GET_DEVICE_ATTR, what, &attribute); !r)
    return tl::unexpected(r.error());
  return ticks;
}

Result<void> Vcpu::set_tsc_offset(std::uint64_t ticks) {
  const kvm_device_attr attribute = tsc_offset_attribute(ticks);
  const auto what = fmt::format("KVM_SET_DEVICE_ATTR TSC offset of vCPU {}", id_);
  if (const auto r = call(fd_, KVM_SET_DEVICE_ATTR, what, &attribute); !r)
    return tl::unexpected(r.error());
  return {};
}

Result<void> Vcpu::set_breakpoints(std::span<const std::uint64_t> addresses) {
  kvm_guest_debug debug = {};
  if (addresses.size() > kBreakpointSlots)
    return fail(ExitStatus::kUnsupported, fmt::format("{} breakpoints on vCPU {}: there are {} slots",
                                                      addresses.size(), id_, kBreakpointSlots));
  if (!addresses.empty())
    debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
  debug.arch.debugreg[7] = kDr7Fixed;
  for (std::size_t slot = 0; slot < addresses.size(); ++slot) {
    debug.arch.debugreg[slot] = addresses[slot];
    debug.arch.debugreg[7] |= kDr7Global << (2 * slot); // R/W and LEN are 0: an instruction
  }
  return set(KVM_SET_GUEST_DEBUG, "KVM_SET_GUEST_DEBUG", debug);
}

Result<void> Vcpu::set_single_step() {
  kvm_guest_debug debug = {};
  debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
  return set(KVM_SET_GUEST_DEBUG, "KVM_SET_GUEST_DEBUG", debug);
}

Result<std::uint64_t> Vcpu::linear_rip() const {
  const auto general = regs();
  if (!general)
    return tl::unexpected(general.error());
  const auto special = sregs();
  if (!special)
    return tl::unexpected(special.error());
  const bool is_64_bit = (special->efer & kEferLma) != 0 && special->cs.l != 0;
  return general->rip + (is_64_bit ? 0 : special->cs.base);
}

Result<std::optional<std::uint64_t>> Vcpu::translate(std::uint64_t linear) const {
  kvm_translation found = {};
  found.linear_address = linear;
  const auto what = fmt::format("KVM_TRANSLATE of {:#x} on vCPU {}", linear, id_);
  if (const auto r = call(fd_, KVM_TRANSLATE, what, &found, ExitStatus::kBroken); !r)
    return tl::unexpected(r.error());
  if (found.valid == 0)
    return std::optional<std::uint64_t>();
  return std::optional(std::uint64_t{found.physical_address});
}

Result<void> Vcpu::inject_triple_fault() {
  if (auto r = set_mp_state(MpState::kRunnable); !r) // a halted CPU would sleep on it
    return r;
  auto pending = events();
  if (!pending)
    return tl::unexpected(pending.error());
  if (has_triple_fault_event_) {
    pending->flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
    pending->triple_fault.pending = 1;
    return set_events(*pending);
  }
  // An exception that finds no interrupt table. KVM checks the table's limit in protected
  // mode alone, so that is where it must happen.
  auto special = sregs();
  if (!special)
    return tl::unexpected(special.error());
  special->cr0 |= kCr0Pe;
  special->idt.base = 0;
  special->idt.limit = 0;
  if (auto r = set_sregs(*special); !r)
    return r;
  pending->exception.injected = 1;
  pending->exception.nr = kInvalidOpcode;
  pending->exception.has_error_code = 0;
  return set_events(*pending);
}

Result<std::vector<KvmStat>> Vcpu::stats() const {
  const auto what = fmt::format("KVM_GET_STATS_FD of vCPU {}", id_);
  const auto stats = call(fd_, KVM_GET_STATS_FD, what, nullptr);
  if (!stats)
    return tl::unexpected(stats.error());
  return read_stats(Fd(*stats));
}

} // namespace reveille::vmm
