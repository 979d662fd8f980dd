// What differs from what was expected.
#include "tests/unit/judge/made_run.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

void expect_one(const MadeRun &run, std::string_view text) {
  const Verdict verdict = run.judged();
  ASSERT_EQ(verdict.differences.size(), 1u);
  EXPECT_NE(verdict.differences[0].find(text), std::string::npos) << verdict.differences[0];
  EXPECT_EQ(verdict.exit, ExitStatus::kDiffers);
  EXPECT_EQ(verdict.kind, VerdictKind::kFail);
}

TEST(Differences, AnotherOutcomeThanExpected) {
  MadeRun run = sound_run();
  run.expect_failed(2, "timeout@alive");
  expect_one(run, "CPU 2: expected timeout@alive, got online");
}

TEST(Differences, ACpuThatIsExpectedToFailSomehow) {
  MadeRun run = sound_run();
  std::erase(run.scenario.expect.online, CpuIndex{2});
  expect_one(run, "CPU 2: expected any failure, got online");
  run.seen.crashes.push_back({2, 1, "triple fault", 0x1000});
  EXPECT_TRUE(run.judged().differences.empty());
}

TEST(Differences, AFaultThatDidNotFire) {
  MadeRun run = sound_run();
  run.fault(Action::kDelay, abi::Place::kAlive, "alive", 1, HoldEnd::kReleased);
  run.seen.faults[0].fired = 0;
  expect_one(run, "fired 0 of 1 times on CPU 1");
}

TEST(Differences, AFaultThatWasNotSeenThrough) {
  MadeRun run = sound_run();
  run.fault(Action::kDelay, abi::Place::kAlive, "alive", 1, HoldEnd::kReleased);
  run.seen.faults[0].seen_through = false;
  expect_one(run, "what the CPU made of it was not seen");
}

TEST(Differences, TooLate) {
  MadeRun run = sound_run();
  run.scenario.expect.within_ms = 0.001;
  expect_one(run, "within 0.001 ms");
}

TEST(Differences, AnotherNumberOfAttempts) {
  MadeRun run(2);
  run.kick(1, 1);
  run.give_up(1, 1, 100'000);
  run.undo(0, 1, 1, Section::kPrepare, 0);
  run.kick(1, 2);
  run.climb(1, 2, State::kActive);
  run.note(0, EventKind::kOnline, 1, 2, run.seen.cpus[1].word);
  run.decided();
  run.scenario.expect.attempts[1] = 2;
  EXPECT_TRUE(run.judged().differences.empty());
  run.scenario.expect.attempts[1] = 1;
  expect_one(run, "expected 1 attempts, needed 2");
  run.scenario.expect.attempts[1] = 3;
  expect_one(run, "expected 3 attempts, needed 2");
}

/// An AP that is held, given up after 100 ms, and let go 200 ms after that.
MadeRun held_too_long(abi::Stop stop, HoldEnd end, Aftermath aftermath) {
  MadeRun run(2);
  run.scenario.bringup.stop = stop;
  run.fault(Action::kStall, abi::Place::kAlive, "alive", 1, end);
  run.expect_failed(1, "timeout@alive");
  run.kick(1, 1);
  run.climb(1, 1, State::kClaimed);
  run.give_up(1, 1, 100'000);
  run.fail(1, 1, State::kClaimed);
  run.decided();
  run.seen.firings[0].ended_us = 300'000;
  run.seen.firings[0].aftermath = aftermath;
  return run;
}

TEST(Differences, WhatTheInitOfGivingUpDidIsCompared) {
  using abi::Stop;
  const auto none = [](const MadeRun &run) { EXPECT_TRUE(run.judged().differences.empty()); };
  none(held_too_long(Stop::kInit, HoldEnd::kReset, Aftermath::kUnknown));
  none(held_too_long(Stop::kInit, HoldEnd::kReleased, Aftermath::kTookInit));
  none(held_too_long(Stop::kNone, HoldEnd::kReleased, Aftermath::kParked));
  expect_one(held_too_long(Stop::kInit, HoldEnd::kReleased, Aftermath::kParked), "should have taken an INIT");
  expect_one(held_too_long(Stop::kNone, HoldEnd::kReset, Aftermath::kUnknown), "stop is \"none\"");
  expect_one(held_too_long(Stop::kNone, HoldEnd::kReleased, Aftermath::kAtRest), "did not park");
}

TEST(Differences, ACrashThatFoundNothingToCrash) {
  MadeRun run = sound_run();
  run.fault(Action::kCrash, abi::Place::kAlive, "alive", 1, HoldEnd::kHolding);
  EXPECT_TRUE(run.judged().differences.empty());
  run.seen.firings[0].aftermath = Aftermath::kAtRest;
  expect_one(run, "without an instruction to crash at");
}

TEST(Differences, AnInterruptedRunExitsAsSuch) {
  MadeRun run = sound_run();
  run.seen.end = RunEnd::kInterrupted;
  run.seen.end_detail = "interrupted";
  EXPECT_EQ(run.judged().exit, ExitStatus::kInterrupted);
  EXPECT_EQ(run.judged().kind, VerdictKind::kInterrupted);
}

TEST(Differences, ASkewIsHeldAgainstWhatWasMeasured) {
  MadeRun run = sound_run(); // its rendezvous measured 5 ticks, of a nanosecond
  FaultSpec skew;
  skew.cpus = {1};
  skew.at = {"firmware", FirmwarePlace{}};
  skew.action = Action::kSkew;
  skew.skew_us = 0.006;
  run.scenario.faults = {skew};
  run.seen.faults = {{0, 1, 1, true}};
  EXPECT_TRUE(run.judged().differences.empty());
  run.scenario.faults[0].skew_us = -500;
  EXPECT_EQ(
      run.judged().differences,
      std::vector<std::string>{"CPU 1: its TSC was put off by -500 us, and measured to be off by 0.0 us"});
}

} // namespace
} // namespace reveille::vmm
