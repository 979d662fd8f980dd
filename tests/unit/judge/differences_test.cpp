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

TEST(Differences, AnInterruptedRunExitsAsSuch) {
  MadeRun run = sound_run();
  run.seen.end = RunEnd::kInterrupted;
  run.seen.end_detail = "interrupted";
  EXPECT_EQ(run.judged().exit, ExitStatus::kInterrupted);
  EXPECT_EQ(run.judged().kind, VerdictKind::kInterrupted);
}

} // namespace
} // namespace reveille::vmm
