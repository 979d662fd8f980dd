// Where a vCPU is, looked at before it forgets: by its own thread, which has it out of KVM_RUN.
#include "vmm/lab/vcpu_runner.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {

namespace {

/// What a control CPU waits in all until others have looked. While it does the other APs wait for it, too:
/// this is little beside what a dead AP costs by itself.
constexpr double kMostLookingUs = 100'000;

} // namespace

/// What stands as an INIT leaves it shows nothing: what was seen before is kept.
void VcpuRunner::look(std::optional<std::uint64_t> panic_rip) {
  auto seen = look_at(state_.machine, cpu_, attempt_of(cpu_), panic_rip);
  if (seen && !seen->at_reset)
    last_look_ = std::move(seen);
}

/// `target` has been given up and is sent an INIT as soon as this CPU goes on. One that a fault holds or
/// that has died has been looked at when that happened.
void VcpuRunner::before_stop(CpuIndex target) {
  if (target == 0 || !state_.machine.exists(target) || state_.faults.holder(target) ||
      state_.crashed(target, attempt_of(target)))
    return;
  // Half a turn: who waits for this CPU is to find it alive.
  const auto half_turn_us = static_cast<double>(state_.machine.control().request().timeout_us) / 2;
  const double most_us = std::min(kMostLookingUs - looking_us_, half_turn_us);
  if (most_us <= 0)
    return;
  const double began_us = state_.now_us();
  state_.look(target, most_us);
  looking_us_ += state_.now_us() - began_us;
}

void VcpuRunner::have_it_look(double most_us) {
  {
    const std::lock_guard lock(mutex_);
    look_wanted_ = true;
  }
  poke();
  std::unique_lock lock(mutex_);
  looked_cv_.wait_for(lock, std::chrono::duration<double, std::micro>(most_us),
                      [this] { return !look_wanted_ || state_.ending(); });
  look_wanted_ = false; // whoever comes later may have an INIT before him
}

void VcpuRunner::look_if_wanted() {
  {
    const std::lock_guard lock(mutex_);
    if (!look_wanted_)
      return;
  }
  complete_io();
  {
    const std::lock_guard lock(mutex_); // nobody sends it an INIT before this is given back
    if (!look_wanted_)
      return;
    look();
    look_wanted_ = false;
  }
  looked_cv_.notify_one();
}

/// Looks first: who finds in the account that it has died does not ask it to look any more.
void VcpuRunner::note_panic() {
  const std::uint32_t attempt = attempt_of(cpu_);
  if (state_.crashed(cpu_, attempt)) // a guest may panic as often as it likes
    return;
  state_.trace.take(cpu_);
  std::string what = "the guest panicked, and its ring does not say why";
  std::uint64_t rip = 0;
  if (const auto panic = state_.trace.standing(cpu_).panic) {
    rip = panic->a;
    what = fmt::format("the guest panicked: exception {}, error {:#x}", panic->b & 0xff, panic->b >> 32);
  }
  complete_io();
  look(rip);
  state_.note_crash({cpu_, attempt, std::move(what), rip, ""});
}

} // namespace reveille::vmm
