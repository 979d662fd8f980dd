#include "vmm/lab/vcpu_runner.hpp"

#include "core/abi/place.hpp"
#include "vmm/scenario/places.hpp"

#include <fmt/format.h>
#include <linux/kvm.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <system_error>

namespace reveille::vmm {

namespace {

constexpr std::uint64_t kRflagsInterrupt = 1u << 9;
constexpr unsigned kMostLogged = 20; // lines of a kind that a guest can cause

template <class... F> struct Overloaded : F... { using F::operator()...; };
template <class... F> Overloaded(F...) -> Overloaded<F...>;

} // namespace

VcpuRunner::VcpuRunner(RunState &state, CpuIndex cpu)
    : state_(state), cpu_(cpu), processor_(state.machine.processor(cpu)), vcpu_(processor_.vcpu()) {}

VcpuRunner::~VcpuRunner() { join(); }

Result<void> VcpuRunner::start() {
  try {
    thread_ = std::thread([this] { thread_main(); });
  } catch (const std::system_error &error) {
    return fail(
        ExitStatus::kUnsupported,
        fmt::format("cannot start a thread for vCPU {}: {}; use fewer vCPUs, or let this process have "
                    "more threads and memory (ulimit -u, ulimit -v, the cgroup's pids.max)",
                    cpu_, error.code().message()));
  }
  return {};
}

void VcpuRunner::join() {
  if (thread_.joinable())
    thread_.join();
}

void VcpuRunner::detach() {
  if (thread_.joinable())
    thread_.detach();
}

void VcpuRunner::post(const Strike &strike) {
  {
    const std::lock_guard lock(mutex_);
    mailbox_.push_back(strike);
  }
  poke();
}

bool VcpuRunner::has_post() const {
  const std::lock_guard lock(mutex_);
  return !mailbox_.empty();
}

void VcpuRunner::ask_for_rest() {
  rest_wanted_ = true;
  poke();
}

void VcpuRunner::poke() {
  {
    const std::lock_guard lock(mutex_);
    poked_ = true;
  }
  poked_cv_.notify_one();
  processor_.kick();
}

void VcpuRunner::thread_main() {
  {
    const auto binding = vcpu_.bind_to_this_thread();
    if (const auto armed = arm_stops(); !armed)
      spdlog::error("cpu {}: {}", cpu_, armed.error().message);
    started_ = true;
    state_.tell();
    if (cpu_ == 0 && state_.starts_at_zero)
      reach_zero();
    while (!state_.ending()) {
      serve_mailbox();
      if (rest_wanted_.exchange(false))
        look_for_rest();
      look_if_wanted();
      if (!go_round())
        while (wait_a_little(100'000)) { // nothing is left to be run; the end of the run is near
        }
    }
  }
  finished_ = true;
  state_.tell();
}

/// Runs the vCPU until it needs the host. False: it is not to be run on.
bool VcpuRunner::go_round() {
  throttle_.begin_share(state_.now_us());
  const Exit exit = processor_.run();
  if (const double rest_us = throttle_.rest_us(state_.now_us()); rest_us > 0)
    wait_a_little(rest_us);
  if (!handle(exit))
    return false;
  count_exit(exit);
  return true;
}

void VcpuRunner::serve_mailbox() {
  for (;;) {
    Strike strike{};
    {
      const std::lock_guard lock(mutex_);
      if (mailbox_.empty() || state_.ending())
        return;
      strike = mailbox_.front();
    }
    perform(strike);
    const std::lock_guard lock(mutex_);
    mailbox_.pop_front();
  }
}

void VcpuRunner::look_for_rest() {
  complete_io();
  const auto mp = processor_.state();
  if (!mp)
    return;
  const bool waits = *mp == MpState::kInitReceived || *mp == MpState::kUninitialized;
  bool halts_for_ever = false;
  if (*mp == MpState::kHalted)
    if (const auto regs = vcpu_.regs())
      halts_for_ever = (regs->rflags & kRflagsInterrupt) == 0;
  if (waits)
    state_.faults.took_init(cpu_);
  at_rest_ = waits || halts_for_ever;
  state_.tell();
}

/// A KVM that interprets the guest has been seen to fail, about once in a thousand wakes of a CPU that
/// had run before, at the first instruction behind its SIPI, which it can interpret. The vCPU stands where it
/// stood: a second failure at the same place, with no exit in between, is the guest's.
bool VcpuRunner::may_try_again() {
  const std::uint64_t rip = vcpu_.linear_rip().value_or(0);
  if (failed_at_ == rip)
    return false;
  if (second_tries_++ < kMostLogged) // a guest may have it fail for ever
    spdlog::debug("cpu {}: KVM's emulator failed at {:#x}; trying it once more", cpu_, rip);
  failed_at_ = rip;
  return true;
}

bool VcpuRunner::handle(const Exit &exit) {
  if (!std::holds_alternative<InternalError>(exit) && !std::holds_alternative<Interrupted>(exit))
    failed_at_.reset();
  Platform &platform = state_.machine.platform();
  return std::visit(Overloaded{
                        [&](const IoOut &out) {
                          if (out.port == abi::kDoorbellPort && out.size == 4 && out.count == 1)
                            ring(out.value());
                          else
                            platform.write(out);
                          return true;
                        },
                        [&](const IoIn &in) {
                          vcpu_.reply_io(platform.read(in));
                          return true;
                        },
                        [&](const MmioRead &read) {
                          vcpu_.reply_mmio(platform.read(read));
                          return true;
                        },
                        [&](const MmioWrite &write) {
                          platform.write(write);
                          return true;
                        },
                        [&](const MsrRead &) {
                          vcpu_.reply_msr(0);
                          return true;
                        },
                        [](const MsrWrite &) { return true; },
                        [&](const Debug &debug) { return at_instruction(debug.pc); },
                        [](const Interrupted &) { return true; },
                        [&](const Hlt &) { return wait_a_little(1'000); },
                        [&](const Shutdown &) {
                          shut_down("triple fault");
                          return cpu_ != 0;
                        },
                        [&](const RunFailed &) {
                          shut_down(describe(exit));
                          return false;
                        },
                        [&](const InternalError &error) {
                          if (error.suberror == KVM_INTERNAL_ERROR_EMULATION && may_try_again())
                            return true;
                          shut_down(describe(exit));
                          return cpu_ != 0;
                        },
                        [&](const auto &) { // failed entry, a system event, an unknown exit
                          shut_down(describe(exit));
                          return cpu_ != 0;
                        },
                    },
                    exit);
}

/// The guest has written to the doorbell. The value is the guest's: anything may be in it.
void VcpuRunner::ring(std::uint32_t value) {
  const auto place = static_cast<abi::Place>((value >> 16) & 0xff);
  const CpuIndex target = state_.machine.roster().cpu_of(value & 0xffff);
  switch (static_cast<abi::Ring>(value >> 24)) {
  case abi::Ring::kPlace:
    if (static_cast<unsigned>(place) < abi::kPlaceCount && target < state_.machine.cpus())
      reach(place, target);
    return;
  case abi::Ring::kDecided:
  case abi::Ring::kCycle:
    if (cpu_ == 0)
      end_cycle(static_cast<abi::Ring>(value >> 24));
    return;
  case abi::Ring::kPanic:
    note_panic();
    return;
  case abi::Ring::kRefused:
    if (cpu_ == 0)
      state_.note_refused();
    return;
  }
  if (odd_rings_ < kMostLogged) // a guest may do so for ever
    spdlog::debug("cpu {}: rang the doorbell with {:#010x}, which means nothing{}", cpu_, value,
                  ++odd_rings_ == kMostLogged ? "; no more of this is logged" : "");
}

/// CPU 0 stands at the doorbell: what all have written in this cycle is taken out, so that the
/// rings have room for the next one.
void VcpuRunner::end_cycle(abi::Ring what) {
  if (what == abi::Ring::kDecided) // before anything else: who times the run from outside waits for it
    spdlog::debug("cpu {}: every CPU is decided", cpu_);
  state_.trace.take_all();
  if (what == abi::Ring::kDecided)
    state_.note_decided();
}

/// Whether this CPU brings another one up, as far as the guest says.
bool VcpuRunner::controls(CpuIndex target) const {
  return target != cpu_ && (cpu_ == 0 || state_.machine.control().sync(target).control == cpu_);
}

void VcpuRunner::reach(abi::Place place, CpuIndex target) {
  if (place == abi::Place::kZero) {
    if (cpu_ == 0) {
      if (state_.on_zero)
        state_.on_zero();
      reach_zero();
    }
    return;
  }
  if (is_on_control_cpu(place) ? !controls(target) : target != cpu_)
    return;
  if (place == abi::Place::kStop) {
    before_stop(target);
    return;
  }
  ControlArea &control = state_.machine.control();
  if (place >= abi::Place::kFirstStep)
    control.answer_step(target, 0);
  const SyncView sync = control.sync(target);
  perform_all(state_.faults.at(target, place, {sync.ordinal, sync.cycle}));
}

void VcpuRunner::reach_zero() {
  state_.kept.begin();
  state_.note_zero();
  while (!state_.zero_served() && wait_a_little(200)) {
  }
}

/// The vCPU cannot go on. An AP waits for the INIT and SIPI of a further attempt, as a
/// processor in shutdown does.
void VcpuRunner::shut_down(const std::string &what) {
  const std::uint64_t rip = vcpu_.linear_rip().value_or(0);
  if (!crashing_) // else it has been looked at before that
    look();
  if (state_.note_crash({cpu_, attempt_of(cpu_), what, rip, ""}))
    spdlog::debug("cpu {}: {} at {:#x}", cpu_, what, rip);
  if (crashing_)
    state_.faults.end(*crashing_, HoldEnd::kCrashed, state_.now_us());
  crashing_.reset();
  if (cpu_ != 0)
    static_cast<void>(processor_.set_state(MpState::kUninitialized));
  state_.tell();
}

/// Finishes the port access that the vCPU came out with, so that its registers are those
/// behind it.
void VcpuRunner::complete_io() {
  processor_.kick();
  static_cast<void>(processor_.run());
}

/// False when the run is ending.
bool VcpuRunner::wait_a_little(double us) {
  std::unique_lock lock(mutex_);
  poked_cv_.wait_for(lock, std::chrono::duration<double, std::micro>(us),
                     [this] { return poked_ || state_.ending(); });
  poked_ = false;
  return !state_.ending();
}

std::uint32_t VcpuRunner::attempt_of(CpuIndex cpu) const {
  return state_.machine.control().word(cpu).attempt;
}

} // namespace reveille::vmm
