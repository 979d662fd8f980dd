// What the judge makes of each CPU.
#include "tests/unit/judge/made_run.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

TEST(Outcomes, ASoundRunPasses) {
  const Verdict verdict = sound_run().judged();
  EXPECT_EQ(verdict.kind, VerdictKind::kPass);
  EXPECT_EQ(verdict.exit, ExitStatus::kAsExpected);
  EXPECT_TRUE(verdict.differences.empty());
  for (const CpuVerdict &cpu : verdict.cpus)
    EXPECT_EQ(cpu.outcome, CpuOutcome::kOnline) << cpu.cpu;
  EXPECT_EQ(verdict.cpus[1].attempts, 1u);
  EXPECT_EQ(verdict.cpus[1].skew_ticks, 5);
  ASSERT_TRUE(verdict.bringup_us && verdict.decided_us);
  EXPECT_EQ(*verdict.bringup_us, *verdict.cpus[2].points.arrived[5]);
  EXPECT_GT(*verdict.decided_us, *verdict.bringup_us);
}

TEST(Outcomes, TimesAreThoseOfTheLastAttempt) {
  MadeRun run(2);
  run.kick(1, 1);
  run.give_up(1, 1, 100'000);
  run.undo(0, 1, 1, Section::kPrepare, 0);
  run.kick(1, 2);
  run.climb(1, 2, State::kActive);
  run.note(0, EventKind::kOnline, 1, 2, run.seen.cpus[1].word);
  run.decided();
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[1].outcome, CpuOutcome::kOnline);
  EXPECT_EQ(verdict.cpus[1].attempts, 2u);
  EXPECT_GT(*verdict.cpus[1].points.kick, 100'000);
}

TEST(Outcomes, ATimeoutIsBlamedOnThePointThatWasOwed) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  run.give_up(1, 1, 100'000);
  run.fail(1, 1, State::kStarting);
  run.decided();
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[1].reason, "timeout@started");
  EXPECT_EQ(verdict.cpus[1].quarantined, 1u);
}

TEST(Outcomes, AnAttemptThatWasUndoneIsNoLongerHeld) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kClaimed);
  run.give_up(1, 1, 100'000);
  run.fail(1, 1, State::kClaimed);
  run.decided();
  run.move(1, 1, {1, State::kParked, 0});
  run.note(0, EventKind::kProven, 1, 1);
  run.undo(0, 1, 1, Section::kPrepare, 0);
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[1].reason, "timeout@alive");
  EXPECT_EQ(verdict.cpus[1].quarantined, 0u);
}

TEST(Outcomes, AnErrorNamesItsStep) {
  MadeRun run(2);
  run.kick(1, 1);
  run.note(0, EventKind::kFailed, 1, 1, Word{1, State::kDead, 0}.bits(),
           abi::failed(abi::FailReason::kError, 2, 1, -11));
  EXPECT_EQ(run.judged().cpus[1].reason, "error@step:timer");
}

TEST(Outcomes, ACrashBeatsATimeout) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  run.give_up(1, 1, 100'000);
  run.fail(1, 1, State::kStarting);
  run.decided();
  run.seen.crashes.push_back({1, 1, "triple fault", 0x1000});
  EXPECT_EQ(run.judged().cpus[1].reason, "crash@started");
}

TEST(Outcomes, ACrashInAnEarlierAttemptIsForgiven) {
  MadeRun run(2);
  run.kick(1, 1);
  run.give_up(1, 1, 100'000);
  run.undo(0, 1, 1, Section::kPrepare, 0);
  run.kick(1, 2);
  run.climb(1, 2, State::kActive);
  run.note(0, EventKind::kOnline, 1, 2, run.seen.cpus[1].word);
  run.decided();
  run.seen.crashes.push_back({1, 1, "triple fault", 0x1000});
  EXPECT_EQ(run.judged().cpus[1].outcome, CpuOutcome::kOnline);
}

TEST(Outcomes, ACrashAfterActiveTakesItDown) {
  MadeRun run = sound_run();
  run.seen.crashes.push_back({2, 1, "triple fault", 0x1000});
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[2].outcome, CpuOutcome::kFailed);
  EXPECT_EQ(verdict.cpus[2].reason, "crash@active");
  EXPECT_EQ(verdict.exit, ExitStatus::kDiffers);
}

TEST(Outcomes, TheLastCycleDecides) {
  MadeRun run(3);
  for (const CpuIndex cpu : {1u, 2u}) {
    run.up(cpu);
    run.down(cpu, 1);
  }
  run.up_again(1, 2);
  run.kick(2, 2);
  run.give_up(2, 2, 100'000);
  run.fail(2, 2, State::kKicked);
  run.decided();
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[1].outcome, CpuOutcome::kOnline);
  EXPECT_EQ(verdict.cpus[2].reason, "timeout@alive");
}

TEST(Outcomes, AttemptsAreTheMostThatACycleNeeded) {
  MadeRun run(2);
  run.up(1);
  run.down(1, 1);
  for (const std::uint32_t attempt : {2u, 3u}) {
    run.kick(1, attempt);
    run.give_up(1, attempt, 100'000);
    run.undo(0, 1, attempt, Section::kPrepare, 0);
  }
  run.up_again(1, 4);
  run.down(1, 4);
  run.up_again(1, 5);
  run.decided();
  EXPECT_EQ(run.judged().cpus[1].attempts, 3u);
}

TEST(Outcomes, ATimeoutOnTheWayDownIsBlamedOnWhatWasOwedThere) {
  for (const bool past_dying : {false, true}) {
    MadeRun run(2);
    run.up(1);
    run.take_down(1, 1);
    if (past_dying) {
      run.move(1, 1, {1, State::kDying, 0});
      run.move(0, 1, {1, State::kUndoStarting, 0});
    }
    const State at = past_dying ? State::kUndoStarting : State::kUndoOnline;
    run.give_up(1, 1, 100'000);
    run.fail(1, 1, at);
    run.decided();
    const Verdict verdict = run.judged();
    EXPECT_EQ(verdict.cpus[1].outcome, CpuOutcome::kFailed);
    EXPECT_EQ(verdict.cpus[1].reason, past_dying ? "timeout@dead" : "timeout@dying");
    EXPECT_EQ(verdict.cpus[1].attempts, 1u);
  }
}

TEST(Outcomes, WhoIsUndecidedBetweenTwoCyclesIsLostThere) {
  MadeRun told(2);
  told.up(1);
  told.note(0, EventKind::kTakeDown, 1, 1, told.seen.cpus[1].word);
  EXPECT_EQ(told.judged().cpus[1].reason, "lost@dying");
  MadeRun down(2);
  down.up(1);
  down.down(1, 1);
  EXPECT_EQ(down.judged().cpus[1].reason, "lost@alive");
}

TEST(Outcomes, AnErrorBeatsATimeoutInItsRollback) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  run.note(1, EventKind::kStepEnter, 1, 1, 1, 2);
  run.note(1, EventKind::kStepDone, 1, 1, 1, abi::step_result(2, -11));
  run.move(1, 1, {1, State::kStartFailed, 0});
  run.move(0, 1, {1, State::kUndoStarting, 0});
  run.give_up(1, 1, 100'000);
  run.fail(1, 1, State::kUndoStarting);
  run.decided();
  EXPECT_EQ(run.judged().cpus[1].reason, "error@step:timer");
}

TEST(Outcomes, AStepThatFailsWhenItsApIsGivenUpChangesNothing) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  run.note(1, EventKind::kStepEnter, 1, 1, 1, 2);
  run.give_up(1, 1, 100'000);
  run.fail(1, 1, State::kStarting, 1);
  run.decided();
  run.note(1, EventKind::kStepDone, 1, 1, 1, abi::step_result(2, -11));
  EXPECT_EQ(run.judged().cpus[1].reason, "timeout@started");
}

TEST(Outcomes, ACrashBehindActiveIsThereThoughTheCpuWasToldToGoDown) {
  for (const bool resumed : {false, true}) {
    MadeRun run(2);
    run.up(1);
    run.note(0, EventKind::kTakeDown, 1, 1, run.seen.cpus[1].word);
    run.move(0, 1, {1, State::kUndoOnline, 0});
    if (resumed)
      run.note(1, EventKind::kResumed, 1, 1, run.seen.cpus[1].word);
    run.give_up(1, 1, 100'000);
    run.fail(1, 1, State::kUndoOnline);
    run.decided();
    run.seen.crashes.push_back({1, 1, "triple fault", 0x1000});
    EXPECT_EQ(run.judged().cpus[1].reason, resumed ? "crash@dying" : "crash@active");
  }
}

TEST(Outcomes, WhoseControlCpuHasStoppedIsLost) {
  const auto lose = [](MadeRun &run, CpuIndex cpu) {
    const std::uint64_t word = run.seen.cpus[cpu].word;
    run.note(0, EventKind::kFailed, cpu, Word::from(word).attempt, word,
             abi::failed(abi::FailReason::kLost, 0, 0, 0));
    run.decided();
    return run.judged().cpus[cpu];
  };
  MadeRun never(3);
  EXPECT_EQ(lose(never, 2).reason, "lost@alive");
  MadeRun again(3); // its word is still that of the cycle before
  again.up(2);
  again.down(2, 1);
  EXPECT_EQ(lose(again, 2).reason, "lost@alive");
  MadeRun midway(3);
  midway.kick(2, 1);
  midway.climb(2, 1, State::kStarting);
  EXPECT_EQ(lose(midway, 2).reason, "lost@started");
}

TEST(Outcomes, InATreeOthersDecideToo) {
  MadeRun run(3);
  run.scenario.bringup.strategy = abi::Strategy::kTree;
  run.up(1);
  run.up(2);
  // All that CPU 0 wrote of CPU 2 moves into the ring of CPU 1, which brought it up.
  auto &by_zero = run.seen.cpus[0].events;
  for (const Event &event : by_zero)
    if (event.cpu == 2)
      run.seen.cpus[1].events.push_back(event);
  std::erase_if(by_zero, [](const Event &event) { return event.cpu == 2; });
  run.decided();
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[2].outcome, CpuOutcome::kOnline);
  EXPECT_EQ(verdict.cpus[2].attempts, 1u);
  EXPECT_TRUE(verdict.cpus[2].points.kick);
  EXPECT_EQ(verdict.cpus[2].skew_ticks, 5);
}

TEST(Outcomes, WhatIsUndecidedWhenTheRunEndsIsLost) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kIdling);
  run.seen.end = RunEnd::kBound;
  run.seen.end_detail = "the run's bound expired";
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[1].reason, "lost@idle");
  EXPECT_EQ(of(verdict, "bounded-waits").holds, false);
}

TEST(Outcomes, ACorruptWordIsLost) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  run.note(0, EventKind::kCorrupt, 1, 1, 0xdead);
  run.note(0, EventKind::kFailed, 1, 1, 0xdead, abi::failed(abi::FailReason::kCorrupt, 0, 0, 0));
  run.decided();
  EXPECT_EQ(run.judged().cpus[1].reason, "lost@started");
}

TEST(Outcomes, ADeadControlCpuIsACrash) {
  MadeRun run(2);
  run.kick(1, 1);
  run.seen.end = RunEnd::kControlDied;
  run.seen.end_detail = "CPU 0 died";
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[0].reason, "crash@active");
  EXPECT_EQ(verdict.cpus[1].reason, "lost@alive");
}

TEST(Outcomes, ADeadControlCpuMayBeWhatIsExpected) {
  MadeRun run(2);
  run.kick(1, 1);
  run.seen.end = RunEnd::kControlDied;
  run.seen.end_detail = "CPU 0 died";
  run.scenario.expect.online = {};
  run.scenario.expect.failed = {{0, "crash@active"}, {1, "lost@alive"}};
  EXPECT_EQ(run.judged().kind, VerdictKind::kPass);
  run.scenario.expect.failed = {{1, "lost@alive"}};
  EXPECT_EQ(run.judged().kind, VerdictKind::kFail) << "nobody has said that CPU 0 dies";
}

TEST(Outcomes, BeyondMaxCpusIsNotAttempted) {
  MadeRun run(3);
  run.scenario.bringup.max_cpus = 2;
  run.scenario.expect.online = {0, 1};
  run.up(1);
  run.decided();
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[2].outcome, CpuOutcome::kNotAttempted);
  EXPECT_EQ(verdict.kind, VerdictKind::kPass);
}

TEST(Outcomes, GarbageFromTheGuestIsJudgedAndNeverBelieved) {
  MadeRun run = sound_run();
  Event garbage;
  std::fill_n(reinterpret_cast<std::uint8_t *>(&garbage), sizeof garbage, std::uint8_t{0xa5});
  for (CpuObservation &cpu : run.seen.cpus) {
    cpu.events.push_back(garbage);
    garbage.kind = EventKind::kMoved;
    garbage.cpu = 1;
    cpu.events.push_back(garbage);
    garbage.kind = EventKind::kFailed;
    cpu.events.push_back(garbage);
    garbage.kind = EventKind::kResumed;
    cpu.events.push_back(garbage);
  }
  run.seen.cpus[2].word = ~std::uint64_t{0};
  const Verdict verdict = run.judged();
  EXPECT_EQ(of(verdict, "legal-transitions").holds, std::nullopt);
  EXPECT_NE(of(verdict, "legal-transitions").evidence, "");
}

TEST(Outcomes, AGhostIsAbsentHoweverItFailed) {
  for (const bool failed_a_step : {false, true}) {
    MadeRun run(2);
    run.seen.cpus[1].presence = Presence::kGhost;
    run.kick(1, 1);
    if (failed_a_step) {
      run.note(0, EventKind::kFailed, 1, 1, Word{1, State::kDead, 0}.bits(),
               abi::failed(abi::FailReason::kError, 1, 0, -11));
    } else {
      run.give_up(1, 1, 100'000);
      run.fail(1, 1, State::kKicked);
    }
    run.decided();
    EXPECT_EQ(run.judged().cpus[1].reason, "absent@alive");
  }
}

TEST(Outcomes, ACrashBeatsAbsenceAndAbsenceBeatsLoss) {
  MadeRun run(2);
  run.seen.cpus[1].presence = Presence::kGhost;
  run.kick(1, 1);
  EXPECT_EQ(run.judged().cpus[1].reason, "absent@alive"); // undecided
  run.seen.crashes.push_back({1, 1, "triple fault", 0x1000});
  EXPECT_EQ(run.judged().cpus[1].reason, "crash@alive");
}

TEST(Outcomes, ACpuThatTheFirmwareDoesNotOfferIsLostAndMustNotBeKicked) {
  for (const Presence presence : {Presence::kUnlisted, Presence::kDisabled}) {
    MadeRun run(2);
    run.seen.cpus[1].presence = presence;
    run.seen.cpus[1].apic_id = 0; // nobody has said it
    run.seen.found_cpus = 1;
    run.scenario.expect = {{0}, {{1, "lost@alive"}}, {}, {}};
    run.decided();
    EXPECT_EQ(run.judged().kind, VerdictKind::kPass);
    run.kick(1, 1);
    EXPECT_EQ(run.judged().kind, VerdictKind::kBroken);
  }
}

TEST(Outcomes, TheGuestFindsWhatTheFirmwareOffers) {
  for (const std::uint32_t found : {2u, 4u}) {
    MadeRun run = sound_run(); // three CPUs
    run.seen.found_cpus = found;
    EXPECT_EQ(run.judged().kind, VerdictKind::kBroken) << found;
  }
}

TEST(Outcomes, TwoCpusMayHaveOneIdOnlyIfTheFirmwareSaysSo) {
  MadeRun run = sound_run();
  run.seen.cpus[2].apic_id = 1;
  EXPECT_EQ(run.judged().kind, VerdictKind::kBroken);
  FaultSpec twin;
  twin.cpus = {2};
  twin.at = {"firmware", FirmwarePlace{}};
  twin.action = Action::kSameId;
  twin.to = 1;
  run.scenario.faults = {twin};
  run.seen.cpus[2].presence = Presence::kTwin;
  EXPECT_EQ(run.judged().kind, VerdictKind::kPass);
  run.seen.cpus[2].apic_id = 2; // it goes by another than the one that it is listed with
  EXPECT_EQ(run.judged().kind, VerdictKind::kBroken);
}

} // namespace
} // namespace reveille::vmm
