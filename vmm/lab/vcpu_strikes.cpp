// What a fault does to a vCPU, by its own thread, which has it out of KVM_RUN.
#include "vmm/lab/vcpu_runner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace reveille::vmm {

namespace {

/// What DR0 holds while a vCPU is held. An INIT clears DR0 to DR3 (SDM vol. 3A, table "IA-32 and Intel 64
/// Processor States Following Power-up, Reset, or INIT"), and nothing else does that to one that stands
/// still.
constexpr std::uint64_t kHeldMark = 0x68656c64; // "held"

/// What a fault makes of a CPU's sync word, if it does. The CPU stands at one of its points, and its
/// control CPU may move the word at the same time.
std::optional<WordWrite> write_word(ControlArea &control, Trace &trace, const Strike &strike) {
  switch (strike.spec->action) {
  case Action::kFlip: {
    const std::uint64_t before = control.flip_word(strike.cpu, strike.spec->bits);
    return WordWrite{before, before ^ strike.spec->bits};
  }
  case Action::kStale: {
    trace.take_all(); // its control CPU has written down what it kicked it from
    const std::uint64_t stale = trace.standing(strike.cpu).kicked_from;
    return WordWrite{control.put_word(strike.cpu, stale), stale};
  }
  default:
    return std::nullopt;
  }
}

} // namespace

bool VcpuRunner::perform(const Strike &strike) {
  const FaultSpec &fault = *strike.spec;
  const auto firing =
      state_.faults.begin(strike, cpu_, state_.machine.control().word_bits(strike.cpu), state_.now_us());
  if (!firing)
    return true;
  spdlog::debug("cpu {}: fault {} strikes", strike.cpu, strike.fault);
  complete_io();
  state_.faults.note_rip(*firing, vcpu_.linear_rip().value_or(0));
  if (fault.holds() || fault.action == Action::kCrash)
    look();
  if (fault.holds())
    return hold_for(fault, *firing);
  if (fault.action == Action::kCrash) {
    crash(*firing);
    return false;
  }
  if (const auto write = write_word(state_.machine.control(), state_.trace, strike)) {
    spdlog::info("cpu {}: fault {} writes its sync word: {:#x}, and it was {:#x}", strike.cpu, strike.fault,
                 write->after, write->before);
    state_.faults.note_write(*firing, *write);
  }
  const HoldEnd end = strike_at_once(fault, strike.cpu);
  state_.faults.end(*firing, end, state_.now_us());
  state_.tell();
  return end != HoldEnd::kReset && fault.action != Action::kJump;
}

bool VcpuRunner::hold_for(const FaultSpec &fault, FiringId firing) {
  const HoldEnd end =
      hold(fault.duration_ms, fault.action == Action::kFreeze ? HoldKind::kFreeze : HoldKind::kSpin);
  if (end != HoldEnd::kHolding)
    state_.faults.end(firing, end, state_.now_us());
  state_.tell();
  return end == HoldEnd::kReleased;
}

/// What is done in a moment. The LAPICs take it as if it had come over their bus.
HoldEnd VcpuRunner::strike_at_once(const FaultSpec &fault, CpuIndex target) {
  ApicBus &bus = state_.machine.bus();
  Result<void> sent;
  switch (fault.action) {
  case Action::kFail:
    state_.machine.control().answer_step(target, fault.error);
    return HoldEnd::kStepFailed;
  case Action::kReset:
    sent = bus.init(cpu_);
    break;
  case Action::kNmi:
    sent = bus.nmi(cpu_);
    break;
  case Action::kInterrupt:
    sent = bus.fixed(cpu_, fault.vector);
    break;
  case Action::kSpuriousSipi:
    sent = bus.startup(cpu_, fault.vector);
    break;
  case Action::kJump:
    jump(fault.target);
    break;
  case Action::kThrottle:
    throttle_.set(fault.percent, fault.duration_ms, state_.now_us());
    break;
  case Action::kGarbage:
    state_.trace.take(target); // so that there is room
    state_.machine.control().put_garbage(target);
    break;
  default:
    break;
  }
  if (!sent)
    spdlog::error("cpu {}: {}", cpu_, sent.error().message);
  return fault.action == Action::kReset ? HoldEnd::kReset : HoldEnd::kDone;
}

/// Keeps the vCPU out of KVM_RUN. A vCPU that is held as if it spun still takes an INIT:
/// asking for its state makes it take what is pending, and its mark is gone. A frozen one is
/// not looked at, so that an INIT stays pending.
HoldEnd VcpuRunner::hold(double duration_ms, HoldKind kind) {
  const double until = state_.now_us() + duration_ms * 1000;
  HoldEnd end = HoldEnd::kHolding;
  std::optional<Mark> mark;
  if (kind == HoldKind::kSpin && cpu_ != 0)
    mark = mark_as_held();
  do {
    double slice = 1e6;
    if (duration_ms > 0) {
      slice = until - state_.now_us();
      if (slice <= 0) {
        end = HoldEnd::kReleased;
        break;
      }
    }
    if (mark) // the more are held, the less often each one looks
      slice = std::min(slice, 1000.0 + 50.0 * state_.faults.holding());
    wait_a_little(slice);
    if (mark && has_been_reset(*mark))
      return HoldEnd::kReset;
  } while (!state_.ending());
  if (mark)
    static_cast<void>(vcpu_.set_debugregs(mark->before));
  return end;
}

/// Nothing if it cannot be marked: then it is not watched.
std::optional<VcpuRunner::Mark> VcpuRunner::mark_as_held() {
  const auto mp = processor_.state();
  const auto before = vcpu_.debugregs();
  if (!mp || !before)
    return std::nullopt;
  kvm_debugregs marked = *before;
  marked.db[0] = kHeldMark;
  if (const auto done = vcpu_.set_debugregs(marked); !done) {
    spdlog::error("cpu {}: {}", cpu_, done.error().message);
    return std::nullopt;
  }
  return Mark{*before, *mp != MpState::kHalted && *mp != MpState::kRunnable};
}

bool VcpuRunner::has_been_reset(const Mark &mark) {
  const auto mp = processor_.state();
  if (!mp)
    return false;
  // One that has never run stands as after an INIT, and is not reset once more.
  if (mark.waited_for_sipi && *mp == MpState::kRunnable)
    return true;
  const auto now = vcpu_.debugregs();
  return now && now->db[0] != kHeldMark;
}

/// It goes on somewhere else, whatever it is in the middle of.
void VcpuRunner::jump(const CodePlace &target) {
  const auto address = find_code(state_.machine, target);
  auto regs = vcpu_.regs();
  if (address && regs) {
    regs->rip = *address;
    static_cast<void>(vcpu_.set_regs(*regs));
  }
}

/// Makes the vCPU triple-fault at its next instruction; if it has none yet, because it
/// waits for its SIPI, at its first.
void VcpuRunner::crash(FiringId firing) {
  for (;;) {
    const auto mp = processor_.state();
    if (mp && *mp == MpState::kHalted && !processor_.set_state(MpState::kRunnable))
      return;
    if (mp && (*mp == MpState::kHalted || *mp == MpState::kRunnable))
      break;
    if (rest_wanted_.exchange(false))
      look_for_rest();
    if (!wait_a_little(1'000))
      return;
  }
  if (const auto done = vcpu_.inject_triple_fault(); !done) {
    spdlog::error("cpu {}: {}", cpu_, done.error().message);
    return;
  }
  crashing_ = firing;
}

} // namespace reveille::vmm
