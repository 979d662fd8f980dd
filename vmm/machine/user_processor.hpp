// A CPU whose local APIC is our own.
#pragma once

#include "vmm/lapic/activity.hpp"
#include "vmm/lapic/lapic.hpp"
#include "vmm/machine/alarm_clock.hpp"
#include "vmm/machine/processor.hpp"
#include "vmm/machine/reset_state.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace reveille::vmm {

/// The two clocks of a vCPU's timer. The guest's TSC is read when a deadline is set, so that it does
/// not matter which offset it has.
class VcpuClock final : public lapic::Clock {
public:
  VcpuClock(const Vcpu &vcpu, std::uint32_t tsc_khz) : vcpu_(vcpu), tsc_khz_(tsc_khz) {}
  [[nodiscard]] std::uint64_t now_ns() const override { return alarm_now_ns(); }
  [[nodiscard]] std::uint64_t tsc() const override { return vcpu_.tsc().value_or(0); }
  [[nodiscard]] std::uint32_t tsc_khz() const override { return tsc_khz_; }

private:
  const Vcpu &vcpu_;
  std::uint32_t tsc_khz_;
};

/// Does what KVM does when the LAPIC is the kernel's: waits where the CPU waits, resets and starts
/// it, injects. KVM has every such vCPU runnable, so it is simply not run before its SIPI.
///
/// Whoever has something for the CPU writes it down (the inbox, `kicked_`), then calls wake(). The
/// owner says what it is about to do, then looks whether somebody has, and does it only if not. Both
/// are sequentially consistent, so one of the two sees the other: no wake-up is lost, and a CPU
/// that is neither in the guest nor asleep is not disturbed at all.
class UserProcessor final : public Processor, public lapic::Receiver {
public:
  /// What it shares with the other CPUs. All of it outlives its runs.
  struct Board {
    lapic::Bus &bus;
    AlarmClock &alarms;
    const ResetState &reset;
    std::uint32_t tsc_khz;
  };

  /// `starts_x2apic`: firmware has left the LAPIC in that mode, and the vCPU says so already.
  UserProcessor(Vcpu &vcpu, const lapic::Lapic::Identity &identity, bool starts_x2apic, const Board &board);

  [[nodiscard]] Exit run() override;
  void kick() override;
  [[nodiscard]] Result<MpState> state() override;
  [[nodiscard]] Result<void> set_state(MpState state) override;
  [[nodiscard]] Vcpu &vcpu() override { return vcpu_; }

  /// Any thread.
  void receive(const lapic::Message &message) override;
  void wake();

private:
  enum class Where : std::uint8_t { kBusy, kInGuest, kAsleep };

  [[nodiscard]] Result<void> act_on_mail();
  [[nodiscard]] Result<void> change(const lapic::Activity::Change &change);
  [[nodiscard]] bool is_woken() const;
  void sleep();
  [[nodiscard]] Result<void> prepare_entry();
  [[nodiscard]] std::optional<Exit> enter();
  /// True when the exit was the LAPIC's, or the CPU's, and the guest may go on.
  [[nodiscard]] bool serve(const Exit &exit);
  void write_msr(const MsrWrite &write);
  void finish_access();

  Vcpu &vcpu_;
  const std::size_t index_;
  const Board board_;
  VcpuClock clock_;
  lapic::Lapic lapic_;
  lapic::Activity activity_;
  bool is_fresh_ = true;     ///< has never run: its registers are those after an INIT
  bool owes_access_ = false; ///< came out with an access that the next KVM_RUN completes
  bool owes_nmi_ = false;    ///< one came while it waited: it is taken behind the SIPI, and void with an INIT
  bool halted_with_interrupts_ = false;
  std::uint64_t alarm_ns_ = 0;          ///< the last that was set
  std::atomic<bool> attention_ = false; ///< somebody has written something down
  std::atomic<bool> kicked_ = false;
  std::atomic<Where> where_ = Where::kBusy; ///< the owner writes it
  std::mutex mutex_;                        ///< with wake_cv_ alone
  std::condition_variable wake_cv_;
};

} // namespace reveille::vmm
