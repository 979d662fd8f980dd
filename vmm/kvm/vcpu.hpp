// One virtual CPU: its state, its runs, and the way to get it out of one.
#pragma once

#include "vmm/base/error.hpp"
#include "vmm/base/fd.hpp"
#include "vmm/base/mapping.hpp"
#include "vmm/kvm/decode.hpp"
#include "vmm/kvm/exit.hpp"
#include "vmm/kvm/lists.hpp"
#include "vmm/kvm/stats.hpp"

#include <linux/kvm.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// KVM_MP_STATE_..., as far as x86 has them.
enum class MpState : std::uint32_t {
  kRunnable = KVM_MP_STATE_RUNNABLE,
  kUninitialized = KVM_MP_STATE_UNINITIALIZED, ///< waits for an INIT
  kInitReceived = KVM_MP_STATE_INIT_RECEIVED,  ///< had its INIT, waits for a SIPI
  kHalted = KVM_MP_STATE_HALTED,
  kSipiReceived = KVM_MP_STATE_SIPI_RECEIVED,
};
[[nodiscard]] std::string_view name(MpState state);

/// Owns a vCPU descriptor and its run page. Built by Vm::create_vcpu. All functions are for
/// one thread at a time, the one that runs it, except kick. Every one that is an ioctl blocks
/// while another thread is inside run().
class Vcpu {
public:
  /// While it lives, kick() signals the thread that made it. One per vCPU at a time.
  class ThreadBinding {
  public:
    ThreadBinding(ThreadBinding &&other) noexcept;
    ThreadBinding &operator=(ThreadBinding &&) = delete;
    ~ThreadBinding();

  private:
    friend class Vcpu;
    explicit ThreadBinding(std::atomic<pid_t> *tid) : tid_(tid) {}
    std::atomic<pid_t> *tid_;
  };

  /// Tells kick() that the calling thread is the one that will call run(), and makes it take
  /// the signal. Without it a kick still ends the next run(), but not one in progress.
  [[nodiscard]] ThreadBinding bind_to_this_thread();

  /// Runs the guest until it needs the host. EAGAIN (an AP that became runnable) is
  /// retried here; a kick or another signal gives Interrupted. A port, MMIO or MSR access is
  /// completed by the *next* run(), also by one that ends at once as Interrupted.
  /// Source: KVM API, 4.10 KVM_RUN.
  [[nodiscard]] Exit run();

  /// Any thread: makes the run() in progress, or else the next one, return Interrupted. No
  /// kick is lost: what the caller wrote before it is visible to the owner after a run()
  /// that returned Interrupted. Several kicks may make one Interrupted, and one kick two.
  void kick();

  /// Answers to IoIn (the same for each item), MmioRead and MsrRead.
  void reply_io(std::uint32_t value) { answer_io(run_page(), value); }
  void reply_mmio(std::uint64_t value) { answer_mmio(run_page(), value); }
  void reply_msr(std::uint64_t value) { answer_msr(run_page(), value); }

  /// The MsrRead or MsrWrite is a #GP in the guest.
  void refuse_msr() { reveille::vmm::refuse_msr(run_page()); }

  [[nodiscard]] std::uint32_t id() const { return id_; }

  // Interrupts when there is no LAPIC in the kernel (KVM API, 5 "The kvm_run structure").

  /// Whether the guest can take an interrupt at its next instruction; as of the last run(), false
  /// after interrupt() and before the first.
  [[nodiscard]] bool takes_interrupts() const;
  /// Its interrupt flag, as of the last run().
  [[nodiscard]] bool has_interrupts_on() const;
  /// Whether a run() is to return InterruptWindow as soon as the guest can take one.
  void want_interrupt_window(bool want);
  /// Has the guest take interrupt `vector` next; only when it takes_interrupts().
  /// Source: KVM API, 4.16 KVM_INTERRUPT.
  [[nodiscard]] Result<void> interrupt(std::uint8_t vector);
  /// Has it take an NMI as soon as it can. Source: KVM API, 4.64 KVM_NMI.
  [[nodiscard]] Result<void> nmi();
  /// CR8 as of the last run(), and what it is to be in the next.
  [[nodiscard]] std::uint8_t cr8() const;
  void set_cr8(std::uint8_t value);
  /// What takes_interrupts() says is no longer true: its registers have been set.
  void forget_interrupt_window();

  [[nodiscard]] Result<void> set_cpuid(std::span<const kvm_cpuid_entry2> entries);
  [[nodiscard]] Result<kvm_regs> regs() const;
  [[nodiscard]] Result<void> set_regs(const kvm_regs &regs);
  [[nodiscard]] Result<kvm_sregs> sregs() const;
  [[nodiscard]] Result<void> set_sregs(const kvm_sregs &sregs);
  /// Reading it makes KVM act on a pending INIT or SIPI.
  [[nodiscard]] Result<MpState> mp_state() const;
  [[nodiscard]] Result<void> set_mp_state(MpState state);
  [[nodiscard]] Result<kvm_vcpu_events> events() const;
  [[nodiscard]] Result<void> set_events(const kvm_vcpu_events &events);
  [[nodiscard]] Result<kvm_debugregs> debugregs() const;
  [[nodiscard]] Result<void> set_debugregs(const kvm_debugregs &regs);
  /// The registers of its LAPIC in the kernel. Source: KVM API, 4.57 KVM_GET_LAPIC.
  [[nodiscard]] Result<kvm_lapic_state> lapic() const;
  [[nodiscard]] Result<void> set_lapic(const kvm_lapic_state &state);
  /// Makes KVM look up anew which APIC ID is whose, by setting the registers to what they are: in xAPIC mode
  /// it does not know the vCPU created last until some LAPIC is touched.
  [[nodiscard]] Result<void> announce_lapics();
  /// Makes its LAPIC, or who keeps it in its place, stand in x2APIC mode, as firmware would leave it. It
  /// needs the CPUID bit first; an INIT keeps the mode (SDM 3, 11.12.5.1).
  [[nodiscard]] Result<void> enable_x2apic();
  [[nodiscard]] Result<std::uint64_t> msr(std::uint32_t index) const;
  [[nodiscard]] Result<void> set_msr(std::uint32_t index, std::uint64_t value);
  /// Those of `indices` that it has, in their order: what KVM does not give is left out.
  [[nodiscard]] Result<std::vector<kvm_msr_entry>> msrs(std::span<const std::uint32_t> indices) const;
  [[nodiscard]] Result<XsaveArea> xsave() const; ///< FPU and what came after it, as XSAVE has them
  [[nodiscard]] Result<void> set_xsave(const XsaveArea &state);
  [[nodiscard]] Result<kvm_xcrs> xcrs() const; ///< XCR0
  [[nodiscard]] Result<void> set_xcrs(const kvm_xcrs &registers);
  [[nodiscard]] Result<std::uint64_t> tsc() const;     ///< what the guest would read now, ticks
  [[nodiscard]] Result<std::uint32_t> tsc_khz() const; ///< KVM API, 4.56 KVM_GET_TSC_KHZ

  /// What KVM adds to the host's TSC for the guest, ticks. That KVM takes an offset does not say
  /// that the guest reads it. Source: KVM, devices/vcpu.rst, KVM_VCPU_TSC_OFFSET.
  [[nodiscard]] Result<std::uint64_t> tsc_offset() const;
  [[nodiscard]] Result<void> set_tsc_offset(std::uint64_t ticks);

  /// Makes run() end in Debug before the instruction at each of these linear addresses: at most
  /// four, the slots of DR0 to DR3; none is an end of it. Running on from a hit may hit again:
  /// step over it. Replaces what was set before, single steps too.
  /// Source: KVM API, 4.87 KVM_SET_GUEST_DEBUG; SDM 3, 18.2.4 "Debug Control Register (DR7)".
  [[nodiscard]] Result<void> set_breakpoints(std::span<const std::uint64_t> addresses);

  /// Makes run() end in Debug behind each instruction, in place of all breakpoints.
  [[nodiscard]] Result<void> set_single_step();

  /// Where it is: CS base + RIP outside 64-bit mode, RIP within.
  [[nodiscard]] Result<std::uint64_t> linear_rip() const;

  /// The guest-physical address behind a linear one, by the page tables that the vCPU has now;
  /// nothing when it is not mapped. Source: KVM API, 4.5 KVM_TRANSLATE.
  [[nodiscard]] Result<std::optional<std::uint64_t>> translate(std::uint64_t linear) const;

  /// What KVM has counted of it since it was created. Fails with kUnsupported where KVM does not tell.
  [[nodiscard]] Result<std::vector<KvmStat>> stats() const;

  /// Makes the next run() end in Shutdown, as a triple fault would, whatever the guest was
  /// doing. Source: KVM API, 4.31 KVM_GET_VCPU_EVENTS; without triple fault events, an exception that
  /// finds no interrupt table (the vCPU is then left in protected mode).
  [[nodiscard]] Result<void> inject_triple_fault();

private:
  friend class Vm;
  Vcpu(Fd fd, Mapping run, std::uint32_t id, bool has_triple_fault_event);

  [[nodiscard]] RunPage run_page() const { return run_.bytes(); }
  [[nodiscard]] kvm_run &run_area() const;
  [[nodiscard]] std::atomic_ref<std::uint8_t> immediate_exit() const;
  template <class T> [[nodiscard]] Result<T> get(unsigned long request, const char *what) const;
  template <class T> [[nodiscard]] Result<void> set(unsigned long request, const char *what, const T &value);

  Fd fd_;
  Mapping run_;
  std::uint32_t id_;
  bool has_triple_fault_event_;             ///< KVM_CAP_X86_TRIPLE_FAULT_EVENT is enabled
  std::unique_ptr<std::atomic<pid_t>> tid_; ///< 0: no thread is bound
};

} // namespace reveille::vmm
