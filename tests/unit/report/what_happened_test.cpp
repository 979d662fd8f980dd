#include "tests/unit/report/story.hpp"
#include "vmm/base/printable.hpp"
#include "vmm/report/what_happened.hpp"
#include "vmm/report/where_is_it.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace reveille::vmm {
namespace {

using abi::EventKind;
using abi::State;
using abi::Word;
using story::event;

constexpr CpuIndex kCpu = 3;
constexpr std::uint64_t kStarting = 2; // the section

/// AP 3 of 4, kicked at 2 ms and given up at 300 ms.
class WhatHappened : public testing::Test {
protected:
  WhatHappened() : s_(story::all_up(4)) {
    for (CpuObservation &cpu : s_.seen.cpus)
      std::erase_if(cpu.events, [](const abi::Event &e) { return e.cpu == kCpu; });
    s_.verdict.cpus[kCpu].outcome = CpuOutcome::kFailed;
    control(2000, EventKind::kKick, 1);
    give_up(abi::FailReason::kTimeout);
  }

  void control(double us, EventKind kind, std::uint64_t a = 0, std::uint64_t b = 0) {
    s_.seen.cpus[0].events.push_back(event(us, kCpu, kind, a, b));
  }
  void own(double us, EventKind kind, std::uint64_t a = 0, std::uint64_t b = 0) {
    s_.seen.cpus[kCpu].events.push_back(event(us, kCpu, kind, a, b));
  }
  void moves(double us, State from, State to) {
    own(us, EventKind::kMoved, Word{1, from}.bits(), Word{1, to}.bits());
  }
  void claims() { moves(2100, State::kKicked, State::kClaimed); }
  void give_up(abi::FailReason why) {
    std::erase_if(s_.seen.cpus[0].events, [](const abi::Event &e) { return e.kind == EventKind::kFailed; });
    control(300'000, EventKind::kFailed, 0, abi::failed(why, 0, 0, 0));
  }
  /// A fault of AP 3, which has struck it at 2.5 ms.
  Firing &struck(FaultPlace at, Action action, HoldEnd end) {
    FaultSpec fault;
    fault.cpus = {kCpu};
    fault.at = std::move(at);
    fault.action = action;
    s_.scenario.faults.push_back(fault);
    s_.seen.firings.push_back({s_.scenario.faults.size() - 1, kCpu, 1, 2500, 302'500, end});
    return s_.seen.firings.back();
  }
  [[nodiscard]] std::string told() const {
    return what_happened(s_.scenario, s_.seen, s_.verdict.cpus[kCpu]);
  }

  story::Story s_;
};

TEST_F(WhatHappened, NeverAnswered) {
  EXPECT_EQ(told(),
            "CPU 3 never answered its SIPI: attempt 1 was kicked at 2.000 ms, and no code of the AP's "
            "claimed it; a turn's time was up.");
}

TEST_F(WhatHappened, NeverAnsweredAndHowItStands) {
  VcpuSnapshot &vcpu = s_.seen.cpus[kCpu].vcpu.emplace();
  vcpu.mp_state = "waits for SIPI";
  vcpu.at_reset = true;
  EXPECT_TRUE(told().ends_with(" It waits for SIPI.")) << told();
  vcpu = {};
  vcpu.mp_state = "runnable";
  vcpu.where = "trampoline+0x10";
  EXPECT_TRUE(told().ends_with(" Its vCPU is no longer waiting for one: runnable, in trampoline+0x10."))
      << told();
  vcpu.refused = true;
  EXPECT_TRUE(told().ends_with(" It runs the guest's code, and halts where an AP ends that may not claim."))
      << told();
}

TEST_F(WhatHappened, NeverAnsweredBecauseItsSipisWereDropped) {
  struck({"sipi", DeliveryPlace{Delivery::kSipi}}, Action::kDrop, HoldEnd::kDone);
  struck({"sipi2", DeliveryPlace{Delivery::kSipi2}}, Action::kDrop, HoldEnd::kDone);
  EXPECT_TRUE(told().starts_with("CPU 3 never answered its SIPI: ")) << told();
  EXPECT_TRUE(told().ends_with(" Fault 0 dropped the first SIPI. Fault 1 dropped the second SIPI."))
      << told();
}

TEST_F(WhatHappened, AnEarlierAttemptsFaultIsNotBlamed) {
  struck({"sipi", DeliveryPlace{Delivery::kSipi}}, Action::kDrop, HoldEnd::kDone).attempt = 7;
  EXPECT_EQ(told().find("Fault"), std::string::npos) << told();
}

TEST_F(WhatHappened, ThereIsNone) {
  s_.seen.cpus[kCpu].presence = Presence::kGhost;
  EXPECT_EQ(told(), "CPU 3 never answered its SIPI: there is no such vCPU, though the firmware lists it.");
}

TEST_F(WhatHappened, NeverKicked) {
  std::erase_if(s_.seen.cpus[0].events, [](const abi::Event &e) { return e.cpu == kCpu; });
  EXPECT_EQ(told(), "CPU 3 was never kicked: the run ended before anything was decided of it.");
}

TEST_F(WhatHappened, StartedAndIsHeldInAStep) {
  claims();
  own(2400, EventKind::kStepEnter, 1, kStarting);
  struck({"step:mtrr", GuestPlace{abi::Place::kStarted}}, Action::kStall, HoldEnd::kHolding);
  EXPECT_EQ(told(),
            "CPU 3 started and did not finish: it claimed attempt 1 at 2.100 ms, came as far as STARTING "
            "step \"mtrr\"; a turn's time was up. Fault 0 (stall at step:mtrr for ever) holds it there "
            "since 2.500 ms.");
}

TEST_F(WhatHappened, StartedAndCameAsFarAs) {
  claims();
  EXPECT_NE(told().find("at 2.100 ms, came no further; "), std::string::npos) << told();
  moves(2200, State::kClaimed, State::kAlive);
  EXPECT_NE(told().find(", came as far as alive; "), std::string::npos) << told();
  own(2300, EventKind::kResumed, Word{1, State::kStarting}.bits());
  EXPECT_NE(told().find(", was let go on from alive; "), std::string::npos) << told();
  own(2400, EventKind::kStepDone, 0, abi::step_result(kStarting, 0));
  EXPECT_NE(told().find(", came as far as the end of STARTING step \"areas\"; "), std::string::npos)
      << told();
  own(2500, EventKind::kStepDone, 1, abi::step_result(kStarting, -11));
  EXPECT_NE(told().find(", came as far as STARTING step \"mtrr\", which failed with error -11; "),
            std::string::npos)
      << told();
  own(2600, EventKind::kUndoEnter, 0, kStarting);
  EXPECT_NE(told().find(", came as far as undoing STARTING step \"areas\"; "), std::string::npos) << told();
}

TEST_F(WhatHappened, CameLateAndParked) {
  claims();
  moves(301'000, State::kAbandoned, State::kParked);
  EXPECT_TRUE(told().ends_with(" It came late, found itself given up, and parked.")) << told();
  Firing &delay = struck({"alive", GuestPlace{abi::Place::kAlive}}, Action::kDelay, HoldEnd::kReleased);
  s_.scenario.faults[0].duration_ms = 300;
  delay.aftermath = Aftermath::kParked; // it says so itself then
  EXPECT_TRUE(
      told().ends_with(" Fault 0 (delay at alive for 300 ms) had it from 2.500 ms on: released after 300.0 "
                       "ms, then parked."))
      << told();
}

TEST_F(WhatHappened, StartedAndDied) {
  claims();
  own(2300, EventKind::kResumed, Word{1, State::kStarting}.bits());
  s_.seen.crashes.push_back({kCpu, 1, "triple fault", 0x8000, "core::wait+0x12 (core/ap.hpp:88)"});
  EXPECT_EQ(told(),
            "CPU 3 started and died: it claimed attempt 1 at 2.100 ms, was let go on from alive; triple "
            "fault, in core::wait+0x12 (core/ap.hpp:88).");
  control(250'000, EventKind::kOnline, Word{1, State::kActive}.bits());
  EXPECT_EQ(told(), "CPU 3 came up (claimed attempt 1 at 2.100 ms) and died later: triple fault, in "
                    "core::wait+0x12 (core/ap.hpp:88).");
}

TEST_F(WhatHappened, DiedBeforeItClaimed) {
  s_.seen.crashes.push_back({kCpu, 1, "triple fault", 0x8000});
  EXPECT_EQ(told(), "CPU 3 took its SIPI and died before it claimed attempt 1: triple fault.");
}

TEST_F(WhatHappened, OtherReasonsOfTheControlCpu) {
  claims();
  const std::pair<abi::FailReason, std::string> all[] = {
      {abi::FailReason::kCorrupt, "its word was found corrupt."},
      {abi::FailReason::kLost, "its control CPU stopped, and did not let go of it."},
      {abi::FailReason::kError, "a step failed."},
      {abi::FailReason::kNoAttempt, "no trampoline page was free for another attempt."}};
  for (const auto &[why, text] : all) {
    give_up(why);
    EXPECT_TRUE(told().ends_with(text)) << told();
  }
}

TEST_F(WhatHappened, TheControlCpuDied) {
  s_.seen.crashes.push_back({0, 0, "page fault (vector 14)", 0x8000});
  s_.verdict.cpus[0].outcome = CpuOutcome::kFailed;
  EXPECT_EQ(what_happened(s_.scenario, s_.seen, s_.verdict.cpus[0]),
            "CPU 0, the control CPU, died: page fault (vector 14).");
}

TEST_F(WhatHappened, SurvivesAGuestThatLies) {
  const story::Story wild = story::garbage();
  for (const CpuVerdict &cpu : wild.verdict.cpus) {
    const std::string text = what_happened(wild.scenario, wild.seen, cpu);
    EXPECT_EQ(text, printable(text));
  }
}

/// A vCPU as KVM shows it, in a loop.
VcpuSnapshot looping() {
  VcpuSnapshot vcpu;
  vcpu.mp_state = "runnable";
  vcpu.rip = 0x101232;
  vcpu.registers = Registers{.rax = 7, .rip = 0x101232, .cs = 8};
  vcpu.code = CodeBytes{0x101230, 0x101232, CodeWidth::k64, {0xf3, 0x90, 0xeb, 0xfc, 0xf4}};
  return vcpu;
}

TEST_F(WhatHappened, RegistersAndCodeAreInTheWholeStoryAlone) {
  s_.seen.cpus[kCpu].vcpu = looping();
  const auto paragraph = [&](Detail detail) {
    return where_is_it({}, s_.scenario, s_.seen, s_.verdict.cpus[kCpu], detail);
  };
  const std::string whole = paragraph(Detail::kWhole);
  EXPECT_NE(whole.find("  registers   rax=0x7 rbx=0x0 "), std::string::npos) << whole;
  EXPECT_NE(whole.find("  code, 64 bits\n"
                       "       0x101230  f3 90                    pause\n"
                       "    -> 0x101232  eb fc                    jmp 0x101230\n"),
            std::string::npos)
      << whole;
  EXPECT_EQ(paragraph(Detail::kShort).find("rax="), std::string::npos);
  EXPECT_EQ(paragraph(Detail::kShort).find("code, "), std::string::npos);
  s_.seen.cpus[kCpu].vcpu->at_reset = true;
  s_.seen.cpus[kCpu].vcpu->moment = Moment::kBeforeInit;
  s_.seen.cpus[kCpu].vcpu->was_at = 0x101232;
  s_.seen.cpus[kCpu].vcpu->was_in = "step_timer+0x2 (guest/smp/steps.cpp:61)";
  EXPECT_NE(paragraph(Detail::kWhole).find("  registers   before the INIT: rax=0x7 "), std::string::npos);
  EXPECT_NE(paragraph(Detail::kWhole).find("  code, 64 bits, before the INIT\n"), std::string::npos);
  EXPECT_NE(paragraph(Detail::kShort)
                .find("  was at      0x101232 step_timer+0x2 (guest/smp/steps.cpp:61), before "),
            std::string::npos);
  s_.seen.cpus[kCpu].vcpu->moment = Moment::kPanic;
  EXPECT_NE(paragraph(Detail::kShort).find(", when it panicked\n"), std::string::npos);
  EXPECT_NE(paragraph(Detail::kWhole).find("  registers   in its panic: rax=0x7 "), std::string::npos);
  EXPECT_NE(paragraph(Detail::kWhole).find("  code, 64 bits, where it panicked\n"), std::string::npos);
  s_.seen.cpus[kCpu].vcpu->moment = Moment::kEnd;
  EXPECT_EQ(paragraph(Detail::kShort).find("was at"), std::string::npos);
  s_.seen.cpus[kCpu].vcpu->code.reset();
  EXPECT_NE(paragraph(Detail::kWhole).find("  registers   as an INIT leaves them\n"), std::string::npos);
  s_.seen.cpus[kCpu].vcpu->registers.reset(); // a simulated one
  EXPECT_EQ(paragraph(Detail::kWhole).find("registers"), std::string::npos);
}

TEST_F(WhatHappened, SixteenEventsOfTheFirstOfEachKind) {
  for (int i = 0; i < 40; ++i)
    own(2200 + i, EventKind::kStepEnter, 1, kStarting);
  const auto lines = [&](Detail detail) {
    const std::string text = where_is_it({}, s_.scenario, s_.seen, s_.verdict.cpus[kCpu], detail);
    return std::count(text.begin() + static_cast<std::ptrdiff_t>(text.find("last events")), text.end(), '\n');
  };
  EXPECT_EQ(lines(Detail::kWhole), 1 + 16);
  EXPECT_EQ(lines(Detail::kShort), 1 + 5);
}

TEST_F(WhatHappened, OfThoseAlikeTheFirstIsToldOfWhole) {
  story::Story s = story::many();
  for (CpuObservation &cpu : s.seen.cpus)
    cpu.vcpu = looping();
  const std::string text = where_are_they({}, s.scenario, s.seen, s.verdict);
  EXPECT_NE(text.find("rax=0x7"), std::string::npos) << text;
  EXPECT_EQ(text.find("rax=0x7"), text.rfind("rax=0x7")) << text;
}

} // namespace
} // namespace reveille::vmm
