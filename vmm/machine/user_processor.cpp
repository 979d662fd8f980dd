#include "vmm/machine/user_processor.hpp"

#include "vmm/machine/cpuid.hpp"

#include <spdlog/spdlog.h>

namespace reveille::vmm {

static_assert(lapic::Timer::kInputHz == kLapicHz, "what CPUID tells the guest");

using lapic::Activity;
using lapic::ApicBase;

UserProcessor::UserProcessor(Vcpu &vcpu, const lapic::Lapic::Identity &identity, bool starts_x2apic,
                             const Board &board)
    : vcpu_(vcpu), index_(identity.index), board_(board), clock_(vcpu, board.tsc_khz),
      lapic_(identity, board.bus, clock_), activity_(identity.is_bsp) {
  if (starts_x2apic)
    static_cast<void>(lapic_.write_base(lapic_.base() | ApicBase::kX2apic)); // legal from xAPIC mode
}

void UserProcessor::receive(const lapic::Message &message) {
  lapic_.inbox().post(message);
  wake();
}

void UserProcessor::kick() {
  kicked_.store(true, std::memory_order_seq_cst);
  wake();
}

void UserProcessor::wake() {
  if (attention_.exchange(true, std::memory_order_seq_cst))
    return; // whoever was first has seen to it
  switch (where_.load(std::memory_order_seq_cst)) {
  case Where::kBusy:
    return; // it looks before it enters or sleeps
  case Where::kInGuest:
    vcpu_.kick();
    return;
  case Where::kAsleep: {
    const std::lock_guard lock(mutex_); // it waits by now, or has seen `attention_`
  }
    wake_cv_.notify_one();
    return;
  }
}

Exit UserProcessor::run() {
  for (;;) {
    attention_.store(false, std::memory_order_seq_cst);
    if (kicked_.exchange(false, std::memory_order_seq_cst)) {
      finish_access();
      return Interrupted{};
    }
    if (const auto done = act_on_mail(); !done) {
      spdlog::error("{}", done.error().message);
      return RunFailed{EIO};
    }
    lapic_.advance();
    if (activity_.state() == Activity::State::kHalted && is_woken())
      activity_.set(Activity::State::kActive);
    if (activity_.state() != Activity::State::kActive) {
      sleep();
      continue;
    }
    const auto exit = enter();
    if (exit && !serve(*exit))
      return *exit;
  }
}

/// A halt ends with an interrupt that can be taken; an NMI has ended it in act_on_mail.
bool UserProcessor::is_woken() const { return halted_with_interrupts_ && lapic_.deliverable().has_value(); }

/// Until somebody wants something, or the timer is due that would end the halt.
void UserProcessor::sleep() {
  std::optional<std::uint64_t> due;
  if (activity_.state() == Activity::State::kHalted && halted_with_interrupts_)
    due = lapic_.due_ns();
  std::unique_lock lock(mutex_);
  where_.store(Where::kAsleep, std::memory_order_seq_cst);
  const auto wanted = [this] { return attention_.load(std::memory_order_seq_cst); };
  if (due)
    wake_cv_.wait_until(lock, alarm_time(*due), wanted);
  else
    wake_cv_.wait(lock, wanted);
  where_.store(Where::kBusy, std::memory_order_seq_cst);
}

Result<void> UserProcessor::act_on_mail() {
  if (!lapic_.inbox().any())
    return {};
  const lapic::Mail mail = lapic_.take();
  if (auto done = change(activity_.take(mail)); !done)
    return done;
  owes_nmi_ = mail.nmi || (owes_nmi_ && !mail.init);
  const Activity::State state = activity_.state();
  if (!owes_nmi_ || state == Activity::State::kWaitsForInit || state == Activity::State::kWaitsForSipi)
    return {};
  owes_nmi_ = false;
  activity_.set(Activity::State::kActive);
  return vcpu_.nmi();
}

Result<void> UserProcessor::change(const Activity::Change &change) {
  if (!change.reset && !change.start)
    return {};
  if (is_fresh_ && !change.start)
    return {};
  if (is_fresh_ || !change.reset) {
    is_fresh_ = false;
    return ResetState::start(vcpu_, *change.start);
  }
  finish_access(); // else its end would write into the new registers
  return board_.reset.restore(vcpu_, lapic_.base(), change.start);
}

Result<void> UserProcessor::prepare_entry() {
  if (const auto vector = lapic_.deliverable(); vector && vcpu_.takes_interrupts()) {
    if (auto r = vcpu_.interrupt(*vector); !r)
      return r;
    lapic_.acknowledge(*vector);
  }
  vcpu_.want_interrupt_window(lapic_.deliverable().has_value());
  vcpu_.set_cr8(lapic_.cr8());
  // An alarm that is too early is no harm: the next one is set when it has rung.
  if (const auto due = lapic_.due_ns(); due && (alarm_ns_ > *due || alarm_ns_ <= alarm_now_ns())) {
    alarm_ns_ = *due;
    board_.alarms.set(index_, *due);
  }
  return {};
}

/// Nothing when somebody wanted something before the guest was entered.
std::optional<Exit> UserProcessor::enter() {
  if (const auto ready = prepare_entry(); !ready) {
    spdlog::error("{}", ready.error().message);
    return RunFailed{EIO};
  }
  is_fresh_ = false;
  where_.store(Where::kInGuest, std::memory_order_seq_cst);
  if (attention_.load(std::memory_order_seq_cst)) {
    where_.store(Where::kBusy, std::memory_order_seq_cst);
    return std::nullopt;
  }
  const Exit exit = vcpu_.run();
  where_.store(Where::kBusy, std::memory_order_seq_cst);
  owes_access_ = false;
  lapic_.set_cr8(vcpu_.cr8());
  return exit;
}

bool UserProcessor::serve(const Exit &exit) {
  if (std::holds_alternative<Interrupted>(exit)) // without our doing: a signal, whose sender waits for it
    return attention_.load(std::memory_order_seq_cst);
  if (std::holds_alternative<InterruptWindow>(exit))
    return true;
  if (std::holds_alternative<Hlt>(exit)) {
    activity_.set(Activity::State::kHalted);
    halted_with_interrupts_ = vcpu_.has_interrupts_on();
    return true;
  }
  owes_access_ = true;
  if (const auto *write = std::get_if<MsrWrite>(&exit)) {
    write_msr(*write);
    return true;
  }
  if (const auto *read = std::get_if<MsrRead>(&exit)) {
    if (const auto value = lapic::Lapic::is_msr(read->index) ? lapic_.read_msr(read->index) : std::nullopt)
      vcpu_.reply_msr(*value);
    else
      vcpu_.refuse_msr();
    return true;
  }
  if (const auto *write = std::get_if<MmioWrite>(&exit); write != nullptr && lapic_.is_at(write->gpa)) {
    lapic_.write_mmio(write->gpa, write->size, write->value);
    return true;
  }
  if (const auto *read = std::get_if<MmioRead>(&exit); read != nullptr && lapic_.is_at(read->gpa)) {
    vcpu_.reply_mmio(lapic_.read_mmio(read->gpa, read->size));
    return true;
  }
  return false;
}

/// IA32_APIC_BASE is KVM's as well: CPUID shows by it whether there is a LAPIC.
void UserProcessor::write_msr(const MsrWrite &write) {
  if (!lapic::Lapic::is_msr(write.index)) {
    vcpu_.refuse_msr();
    return;
  }
  const bool is_base = write.index == lapic::kMsrApicBase;
  const std::uint64_t was = lapic_.base();
  if (is_base && !vcpu_.set_msr(write.index, write.value)) {
    vcpu_.refuse_msr(); // an address beyond what the CPU has
    return;
  }
  if (lapic_.write_msr(write.index, write.value))
    return;
  if (is_base)
    static_cast<void>(vcpu_.set_msr(write.index, was));
  vcpu_.refuse_msr();
}

/// Has KVM complete what the vCPU came out with, and nothing more.
void UserProcessor::finish_access() {
  if (!owes_access_)
    return;
  vcpu_.kick();
  static_cast<void>(vcpu_.run());
  owes_access_ = false;
}

Result<MpState> UserProcessor::state() {
  if (const auto done = act_on_mail(); !done)
    return tl::unexpected(done.error());
  switch (activity_.state()) {
  case Activity::State::kActive:
    return MpState::kRunnable;
  case Activity::State::kHalted:
    return MpState::kHalted;
  case Activity::State::kWaitsForInit:
    return MpState::kUninitialized;
  case Activity::State::kWaitsForSipi:
    return MpState::kInitReceived;
  }
  return MpState::kRunnable;
}

Result<void> UserProcessor::set_state(MpState state) {
  switch (state) {
  case MpState::kRunnable:
    activity_.set(Activity::State::kActive);
    return {};
  case MpState::kHalted:
    activity_.set(Activity::State::kHalted);
    return {};
  case MpState::kUninitialized:
    activity_.set(Activity::State::kWaitsForInit);
    return {};
  case MpState::kInitReceived:
    activity_.set(Activity::State::kWaitsForSipi);
    return {};
  case MpState::kSipiReceived: // it stands at its page already
    break;
  }
  return fail(ExitStatus::kBroken, "there is no such state to be set");
}

} // namespace reveille::vmm
