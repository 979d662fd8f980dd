#include "vmm/report/describe.hpp"

#include "core/protocol/points.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <array>

namespace reveille::vmm {
namespace {

using abi::Event;
using abi::EventKind;
using abi::Word;

/// "claimed -> alive", "starting, step 1 -> starting, step 2".
std::string move_text(std::uint64_t from, std::uint64_t to) {
  if (!Word::is_valid(from) || !Word::is_valid(to))
    return fmt::format("{} -> {}", word_text(from), word_text(to));
  const Word a = Word::from(from);
  const Word b = Word::from(to);
  if (a.attempt != b.attempt)
    return fmt::format("{} -> {}", word_text(from), word_text(to));
  const auto side = [same = a.state == b.state](Word w) {
    return same ? fmt::format("{}, step {}", protocol::name(w.state), w.step)
                : std::string(protocol::name(w.state));
  };
  return fmt::format("{} -> {}", side(a), side(b));
}

int error_of(std::uint64_t b) { return static_cast<int>(static_cast<std::uint32_t>(b >> 32)); }

std::string step_of(const Event &e, const StepNames &steps) {
  return step_text(e.b & 0xffffffff, e.a, steps);
}

std::string step_done(const Event &e, const StepNames &steps) {
  const int error = error_of(e.b);
  return fmt::format("{} {}", step_of(e, steps),
                     error == 0 ? "done" : fmt::format("failed with error {}", error));
}

std::string gave_up(const Event &e, const StepNames &steps) {
  const abi::Failure failure = abi::failure_of(e.b);
  std::string why;
  switch (failure.reason) {
  case abi::FailReason::kTimeout:
    why = "a turn's time was up";
    break;
  case abi::FailReason::kError:
    why = fmt::format("{} failed with error {}", step_text(failure.section, failure.step, steps),
                      failure.error);
    break;
  case abi::FailReason::kCorrupt:
    why = "its word is corrupt";
    break;
  case abi::FailReason::kNoAttempt:
    why = "no trampoline page is free for another attempt";
    break;
  case abi::FailReason::kLost:
    why = "its control CPU has stopped, and has not let go of it";
    break;
  default:
    why = fmt::format("reason {}", static_cast<std::uint32_t>(failure.reason));
  }
  return fmt::format("failed: {}; last word {}", why, word_text(e.a));
}

std::string tsc_served(const Event &e, const StepNames &) {
  if (e.b == 0)
    return "TSC rendezvous over, skew unknown";
  return fmt::format("TSC rendezvous over, skew {} ticks +- {}", static_cast<std::int64_t>(e.a), e.b);
}

std::string panic(const Event &e, const StepNames &) {
  const std::uint64_t point = (e.b >> 8) & 0xff;
  return fmt::format("panic: vector {}, error {:#x}, rip {:#x}{}", e.b & 0xff, e.b >> 32, e.a,
                     point < protocol::kPointCount
                         ? fmt::format(", on the way to {}", protocol::kPoints[point].name)
                         : std::string{});
}

using Writer = std::string (*)(const Event &, const StepNames &);

// clang-format off
constexpr std::array<Writer, static_cast<std::size_t>(EventKind::kCount)> kWriters = {
    /* kNone */        [](const Event &, const StepNames &) { return std::string("an empty record"); },
    /* kZero */        [](const Event &, const StepNames &) { return std::string("time zero"); },
    /* kKick */        [](const Event &e, const StepNames &) { return fmt::format("kicked, try {}, area {}", e.a, e.b); },
    /* kMoved */       [](const Event &e, const StepNames &) { return move_text(e.a, e.b); },
    /* kResumed */     [](const Event &e, const StepNames &) { return fmt::format("saw its release ({})", word_text(e.a)); },
    /* kStepEnter */   [](const Event &e, const StepNames &s) { return step_of(e, s) + " begins"; },
    /* kStepDone */    step_done,
    /* kUndoEnter */   [](const Event &e, const StepNames &s) { return "undoing " + step_of(e, s); },
    /* kUndoDone */    [](const Event &e, const StepNames &s) { return step_of(e, s) + " undone"; },
    /* kClaimFailed */ [](const Event &e, const StepNames &) { return fmt::format("claim failed, the word was {}", word_text(e.a)); },
    /* kTimeout */     [](const Event &e, const StepNames &) { return fmt::format("time is up at {}", word_text(e.a)); },
    /* kStop */        [](const Event &, const StepNames &) { return std::string("sent the INIT of giving up"); },
    /* kProven */      [](const Event &e, const StepNames &) { return fmt::format("proven over by {}", word_text(e.a)); },
    /* kQuarantined */ [](const Event &e, const StepNames &) { return fmt::format("quarantined at {}", word_text(e.a)); },
    /* kOnline */      [](const Event &, const StepNames &) { return std::string("decided: active"); },
    /* kFailed */      gave_up,
    /* kDecided */     [](const Event &, const StepNames &) { return std::string("every CPU decided"); },
    /* kTscServed */   tsc_served,
    /* kCorrupt */     [](const Event &e, const StepNames &) { return fmt::format("corrupt word: {}", word_text(e.a)); },
    /* kPanic */       panic,
    /* kCycle */       [](const Event &e, const StepNames &) { return fmt::format("cycle {} begins", e.a); },
    /* kTakeDown */    [](const Event &, const StepNames &) { return std::string("to be taken down"); },
    /* kOffline */     [](const Event &, const StepNames &) { return std::string("decided: down, all undone"); },
    /* kDelegated */   [](const Event &e, const StepNames &) { return fmt::format("left to CPU {}", e.a); },
    /* kReturned */    [](const Event &e, const StepNames &) { return fmt::format("given back by CPU {}", e.a); },
    /* kFenced */      [](const Event &e, const StepNames &) { return fmt::format("CPU {} has stopped, and is shut out", e.a); },
    /* kAdopted */     [](const Event &e, const StepNames &) { return fmt::format("let go of by CPU {}, and adopted", e.a); },
    /* kFound */       [](const Event &e, const StepNames &) { return fmt::format("claimed, and found area {}, try {} of cycle {}", e.a, e.b & 0xffff'ffff, e.b >> 32); },
};
// clang-format on
static_assert(kWriters.back() != nullptr);

} // namespace

std::string describe(const Event &event, const StepNames &steps) {
  const auto kind = static_cast<std::size_t>(event.kind);
  if (kind < kWriters.size())
    return kWriters[kind](event, steps);
  return fmt::format("event of unknown kind {} (a {:#x}, b {:#x})", kind, event.a, event.b);
}

} // namespace reveille::vmm
