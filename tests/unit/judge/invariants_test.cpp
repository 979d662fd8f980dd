// Each invariant holds of a sound run, and is seen to be broken when it is.
#include "tests/unit/judge/made_run.hpp"

#include "vmm/judge/invariants.hpp"

#include <gtest/gtest.h>

#include <set>

namespace reveille::vmm {
namespace {

void expect_broken(const MadeRun &run, std::string_view name) {
  const Verdict verdict = run.judged();
  EXPECT_EQ(of(verdict, name).holds, false) << name;
  EXPECT_NE(of(verdict, name).evidence, "") << name;
  EXPECT_EQ(verdict.exit, ExitStatus::kBroken);
  EXPECT_EQ(verdict.kind, VerdictKind::kBroken);
}

/// An AP that was given up in STARTING and parked, all of it sound.
MadeRun late_run() {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  run.section(1, 1, State::kStarting, Section::kStarting, 1);
  run.note(1, EventKind::kStepEnter, 1, 1, 1, static_cast<std::uint64_t>(Section::kStarting));
  run.give_up(1, 1, 100'000);
  run.fail(1, 1, State::kStarting, 1);
  run.decided();
  run.move(1, 1, {1, State::kParked, 0});
  run.note(0, EventKind::kProven, 1, 1);
  run.undo(0, 1, 1, Section::kStarting, 1);
  run.undo(0, 1, 1, Section::kStarting, 0);
  run.undo(0, 1, 1, Section::kPrepare, 0);
  run.fault(Action::kStall, abi::Place::kStarted, "started", 1, HoldEnd::kReleased);
  run.expect_failed(1, "timeout@started");
  return run;
}

TEST(Invariants, AllHoldOfASoundRunOrSayWhyTheyAreNotJudged) {
  for (const MadeRun &run : {sound_run(), late_run()}) {
    const Verdict verdict = run.judged();
    EXPECT_EQ(verdict.invariants.size(), 21u);
    for (const InvariantVerdict &invariant : verdict.invariants) {
      EXPECT_NE(invariant.holds, false) << invariant.name << ": " << invariant.evidence;
      EXPECT_EQ(invariant.holds.has_value(), invariant.evidence.empty()) << invariant.name;
    }
    EXPECT_EQ(verdict.kind, VerdictKind::kPass);
  }
}

TEST(Invariants, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const InvariantRow &row : all_invariants())
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

TEST(Invariants, AnOverflownRingLeavesThemUnjudged) {
  MadeRun run = sound_run();
  run.seen.cpus[1].lost_events = 3;
  const Verdict verdict = run.judged();
  EXPECT_EQ(of(verdict, "legal-transitions").holds, std::nullopt);
  EXPECT_NE(of(verdict, "legal-transitions").evidence.find("3 events"), std::string::npos);
  EXPECT_EQ(of(verdict, "bounded-waits").holds, true);
}

TEST(Invariants, LegalTransitionsSeesAMoveThatIsNotInTheTable) {
  MadeRun run(2);
  run.kick(1, 1);
  run.move(1, 1, {1, State::kAlive, 0}); // not claimed
  expect_broken(run, "legal-transitions");
}

TEST(Invariants, LegalTransitionsSeesTheWrongMover) {
  MadeRun run(2);
  run.kick(1, 1);
  run.move(0, 1, {1, State::kClaimed, 0});
  expect_broken(run, "legal-transitions");
}

TEST(Invariants, LegalTransitionsSeesAWordThatNobodyMoved) {
  MadeRun run = sound_run();
  run.seen.cpus[1].word = Word{1, State::kDead, 0}.bits();
  expect_broken(run, "legal-transitions");
}

TEST(Invariants, LegalTransitionsSeesAGapInTheChain) {
  MadeRun run = sound_run();
  auto &events = run.seen.cpus[1].events;
  const auto gone = std::find_if(events.begin(), events.end(), [](const Event &event) {
    return event.kind == EventKind::kMoved && Word::from(event.b).state == State::kSynced;
  });
  events.erase(gone);
  expect_broken(run, "legal-transitions");
}

TEST(Invariants, MatchedReleaseSeesAReleaseThatNobodyArrivedFor) {
  MadeRun run = sound_run();
  auto &events = run.seen.cpus[1].events;
  std::erase_if(events, [](const Event &event) {
    return event.kind == EventKind::kMoved && Word::from(event.b).state == State::kOnline;
  });
  expect_broken(run, "matched-release");
}

TEST(Invariants, MatchedReleaseSeesAnApThatGoesOnByItself) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kAlive);
  run.note(1, EventKind::kResumed, 1, 1, Word{1, State::kStarting, 0}.bits());
  expect_broken(run, "matched-release");
}

TEST(Invariants, StepsInOrderSeesAStepBeforeItsRelease) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kClaimed);
  run.step(1, 1, 1, Section::kStarting, 0);
  expect_broken(run, "steps-in-order");
}

TEST(Invariants, StepsInOrderSeesASkippedARepeatedAndAnInterruptibleStep) {
  for (const int what : {0, 1, 2}) {
    MadeRun run(2);
    run.kick(1, 1);
    run.climb(1, 1, State::kStarting);
    const std::uint8_t flags = what == 2 ? abi::kFlagInterruptsOn : std::uint8_t{0};
    if (what == 1)
      run.step(1, 1, 1, Section::kStarting, 0);
    run.note(1, EventKind::kStepEnter, 1, 1, what == 0 ? 1 : 0,
             static_cast<std::uint64_t>(Section::kStarting), flags);
    expect_broken(run, "steps-in-order");
  }
}

TEST(Invariants, LateHarmlessSeesAnApThatGoesOnAfterItsPark) {
  MadeRun run = late_run();
  run.note(1, EventKind::kStepEnter, 1, 1, 1, static_cast<std::uint64_t>(Section::kStarting));
  expect_broken(run, "late-harmless");
}

TEST(Invariants, ProvenOrQuarantinedSeesAnUndoWithoutProof) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kClaimed);
  run.give_up(1, 1, 100'000);
  run.undo(0, 1, 1, Section::kPrepare, 0);
  expect_broken(run, "proven-or-quarantined");
}

TEST(Invariants, ProvenOrQuarantinedLetsAnUnclaimedAttemptBeUndone) {
  MadeRun run(2);
  run.kick(1, 1);
  run.give_up(1, 1, 100'000);
  run.undo(0, 1, 1, Section::kPrepare, 0);
  EXPECT_EQ(of(run.judged(), "proven-or-quarantined").holds, true);
}

TEST(Invariants, SingleOwnerSeesAnAreaGivenTwice) {
  MadeRun run(3);
  run.kick(1, 1);
  run.note(0, EventKind::kKick, 2, 1, 1, 101); // CPU 1's
  expect_broken(run, "single-owner");
}

TEST(Invariants, SingleOwnerSeesTwoCpusWithOneId) {
  MadeRun run = sound_run();
  run.seen.cpus[2].apic_id = 1;
  expect_broken(run, "single-owner");
}

TEST(Invariants, SingleOwnerWaitsForTheIdsToBePublished) {
  MadeRun run(3); // the guest has counted its CPUs, and was interrupted before it numbered them
  run.seen.end = RunEnd::kInterrupted;
  run.seen.zero_tsc = 0;
  run.seen.cpus[2].apic_id = run.seen.cpus[1].apic_id = 0;
  for (const InvariantVerdict &invariant : judge(run.scenario, run.seen).invariants)
    EXPECT_NE(invariant.holds, false) << invariant.name << ": " << invariant.evidence;
}

TEST(Invariants, OnlineWindowSeesACpuThatIsUpWithoutAWordForIt) {
  MadeRun run = late_run();
  run.note(0, EventKind::kOnline, 1, 1, 0);
  expect_broken(run, "online-window");
}

TEST(Invariants, OneWriterSeesASecondCompletionAndASecondMove) {
  MadeRun twice = sound_run();
  twice.note(0, EventKind::kOnline, 1, 1, 0);
  expect_broken(twice, "one-writer");
  MadeRun moved = sound_run();
  auto &events = moved.seen.cpus[1].events;
  events.push_back(*std::find_if(events.begin(), events.end(),
                                 [](const Event &event) { return event.kind == EventKind::kMoved; }));
  expect_broken(moved, "one-writer");
}

TEST(Invariants, DeadCostComparesWithWhatTheStrategyAllows) {
  for (const bool parallel : {true, false}) {
    MadeRun run(9);
    run.scenario.bringup.strategy = parallel ? abi::Strategy::kParallel : abi::Strategy::kSerial;
    for (CpuIndex cpu = 1; cpu < 9; ++cpu) { // one timeout after another, 800 ms in all
      run.kick(cpu, 1);
      run.give_up(cpu, 1, 100'000);
      run.undo(0, cpu, 1, Section::kPrepare, 0);
      run.fail(cpu, 1, State::kKicked);
    }
    run.decided();
    EXPECT_EQ(of(run.judged(), "dead-cost").holds, !parallel);
  }
}

TEST(Invariants, DeadCostIsWhatTheControlCpuWaitsAndNotWhatItWorks) {
  for (const double us : {900.0, 1100.0}) {
    MadeRun run(500);
    run.scenario.bringup.strategy = abi::Strategy::kParallel;
    for (CpuIndex cpu = 1; cpu < 500; ++cpu) {
      run.kick(cpu, 1);
      run.give_up(cpu, 1, us);
      run.fail(cpu, 1, State::kKicked);
    }
    run.decided();
    EXPECT_EQ(of(run.judged(), "dead-cost").holds, us < 1000);
  }
}

TEST(Invariants, DeadCostAllowsATimeoutForEachWindowfulThatLateCpusFill) {
  for (const bool others_late : {true, false}) {
    MadeRun run(10);
    run.scenario.bringup.window = 3;
    for (CpuIndex cpu = 1; cpu < 10; ++cpu) { // one in three dies, one timeout after another
      if (cpu % 3 != 1) {
        if (others_late)
          run.fault(Action::kDelay, abi::Place::kAlive, "alive", cpu, HoldEnd::kReleased);
        continue;
      }
      run.kick(cpu, 1);
      run.give_up(cpu, 1, 250'000);
      run.undo(0, cpu, 1, Section::kPrepare, 0);
      run.fail(cpu, 1, State::kKicked);
    }
    run.scenario.bringup.timeout_ms = 250;
    run.decided();
    EXPECT_EQ(of(run.judged(), "dead-cost").holds, others_late);
  }
}

TEST(Invariants, DeadCostAllowsATimeoutForPrimariesAndOneForSiblings) {
  for (const bool first : {true, false}) {
    MadeRun run(4);
    run.scenario.machine.threads_per_core = 2;
    run.scenario.bringup.primary_threads_first = first;
    run.scenario.bringup.timeout_ms = 500;
    for (const CpuIndex cpu : {2u, 3u}) {
      run.kick(cpu, 1);
      run.give_up(cpu, 1, 500'000);
      run.undo(0, cpu, 1, Section::kPrepare, 0);
      run.fail(cpu, 1, State::kKicked);
    }
    run.decided();
    EXPECT_EQ(of(run.judged(), "dead-cost").holds, first);
  }
}

/// Work that takes no time: the next cycle begins in the tick in which the last turn of this one ends.
TEST(Invariants, DeadCostAllowsATimeoutInEachCycle) {
  for (const bool cycle_between : {true, false}) {
    MadeRun run(3);
    run.scenario.bringup.timeout_ms = 500;
    for (const CpuIndex cpu : {1u, 2u}) {
      run.kick(cpu, 1);
      run.give_up(cpu, 1, 500'000);
      run.fail(cpu, 1, State::kKicked);
      if (cpu == 1 && cycle_between) {
        run.note(0, EventKind::kCycle, 0, 0, 2);
        std::vector<Event> &events = run.seen.cpus[0].events;
        events.back().tsc = std::ranges::find(events, EventKind::kTimeout, &Event::kind)->tsc;
      }
    }
    run.decided();
    EXPECT_EQ(of(run.judged(), "dead-cost").holds, cycle_between);
  }
}

TEST(Invariants, NoCrosstalkSeesAFailureWithoutACause) {
  MadeRun run(3);
  run.fault(Action::kStall, abi::Place::kAlive, "alive", 1, HoldEnd::kHolding);
  for (const CpuIndex cpu : {1u, 2u}) {
    run.kick(cpu, 1);
    run.climb(cpu, 1, State::kClaimed);
    run.give_up(cpu, 1, 100'000);
    run.fail(cpu, 1, State::kClaimed);
  }
  run.decided();
  expect_broken(run, "no-crosstalk");
}

/// In tree it may be another CPU than 0 that prepares and kicks, and that is late then for its own ends, too.
TEST(Invariants, NoCrosstalkIsNotJudgedWhereAControlCpuWasHeld) {
  for (const CpuIndex held : {0u, 1u, 2u}) {
    MadeRun run(3);
    run.fault(Action::kDelay, abi::Place::kFirstStep, "step:area", 2, HoldEnd::kReleased);
    run.seen.firings.back().vcpu = held;
    run.up(2);
    run.kick(1, 1);
    run.give_up(1, 1, 100'000);
    run.fail(1, 1, State::kKicked);
    run.decided();
    const InvariantVerdict verdict = of(run.judged(), "no-crosstalk");
    EXPECT_EQ(verdict.holds, held == 2 ? std::optional(false) : std::nullopt) << held;
    EXPECT_FALSE(verdict.evidence.empty());
  }
}

TEST(Invariants, NoCrosstalkIsNotJudgedOfARunWithoutAnEnd) {
  MadeRun run(3);
  run.fault(Action::kStall, abi::Place::kAlive, "alive", 1, HoldEnd::kHolding);
  run.seen.end = RunEnd::kInterrupted;
  EXPECT_EQ(of(run.judged(), "no-crosstalk").holds, std::nullopt);
}

TEST(Invariants, ExactUndoSeesTheWrongOrder) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kSyncing);
  run.give_up(1, 1, 100'000);
  run.move(1, 1, {1, State::kParked, 0});
  run.note(0, EventKind::kProven, 1, 1);
  run.undo(0, 1, 1, Section::kStarting, 0);
  run.undo(0, 1, 1, Section::kStarting, 1);
  expect_broken(run, "exact-undo");
}

TEST(Invariants, ExactUndoSeesAStepUndoneTwice) {
  MadeRun run = late_run();
  run.undo(0, 1, 1, Section::kPrepare, 0);
  expect_broken(run, "exact-undo");
}

TEST(Invariants, InjectedExactlySeesAFaultThatFiredTooOften) {
  MadeRun run = late_run();
  run.seen.faults[0].fired = 2;
  expect_broken(run, "injected-exactly");
}

TEST(Invariants, TscTwoPartiesSeesAMeetingOutsideSyncingAndASecondOne) {
  for (const bool second : {false, true}) {
    MadeRun run(2);
    run.kick(1, 1);
    run.climb(1, 1, second ? State::kSyncing : State::kStarted);
    run.note(0, EventKind::kTscServed, 1, 1, 0, 1);
    if (second)
      run.note(0, EventKind::kTscServed, 1, 1, 0, 1);
    expect_broken(run, "tsc-two-parties");
  }
}

TEST(Invariants, NoSelfInitSeesAKickOfCpuZeroAndOfNobody) {
  for (const CpuIndex target : {0u, 7u}) {
    MadeRun run = sound_run();
    run.note(0, EventKind::kKick, target, 1, 1, 900);
    const Verdict verdict = run.judged();
    // A CPU that is not there is no event that a guest writes, so that much else is unjudged.
    if (target == 0)
      EXPECT_EQ(of(verdict, "no-self-init").holds, false);
    else
      EXPECT_NE(of(verdict, "no-self-init").holds, true);
  }
}

TEST(Invariants, AccountedSeesACpuThatNobodyAskedForAndOneThatWasForgotten) {
  MadeRun run = sound_run();
  run.scenario.bringup.max_cpus = 2;
  expect_broken(run, "accounted");
  MadeRun forgotten(3);
  forgotten.up(1);
  forgotten.decided();
  expect_broken(forgotten, "accounted");
}

TEST(Invariants, AccountedTakesAnApThatWasLostBeforeItsKick) {
  MadeRun run(3);
  run.scenario.bringup.strategy = abi::Strategy::kTree;
  run.up(1);
  run.note(0, EventKind::kDelegated, 2, 0, 1);
  run.note(0, EventKind::kFenced, 2, 0, 1);
  run.note(0, EventKind::kFailed, 2, 0, 0, abi::failed(abi::FailReason::kLost, 0, 0, 0));
  run.decided();
  EXPECT_EQ(of(run.judged(), "accounted").holds, true);
}

TEST(Invariants, BoundedWaitsAreCpuZerosUnlessItIsHeldForEver) {
  MadeRun run(2);
  run.seen.end = RunEnd::kBound;
  expect_broken(run, "bounded-waits");
  run.fault(Action::kStall, abi::Place::kAlive, "alive", 1, HoldEnd::kHolding);
  expect_broken(run, "bounded-waits");
  run.seen.firings[0].cpu = 0;
  EXPECT_EQ(of(run.judged(), "bounded-waits").holds, true);
}

/// An AP that arrives once, 60 ms after its kick, and is given up `waited_us` after its release.
MadeRun given_up_behind_alive(double waited_us) {
  MadeRun run(2);
  run.kick(1, 1);
  run.now += 60'000'000;
  run.climb(1, 1, State::kStarting);
  run.give_up(1, 1, waited_us);
  run.fail(1, 1, State::kStarting);
  return run;
}

TEST(Invariants, BoundedWaitsSeesATurnThatIsGivenUpBeforeItsTime) {
  const auto judged = [](const MadeRun &run) { return of(run.judged(), "bounded-waits"); };
  EXPECT_EQ(judged(given_up_behind_alive(100'000)).holds, true);
  EXPECT_EQ(judged(given_up_behind_alive(700'000)).holds, true) << "the CP was busy";
  EXPECT_EQ(judged(given_up_behind_alive(50'000)).evidence,
            "CPU 1 was given up in attempt 1 after 50.003 ms of a turn that has 100 ms");
  MadeRun kicked(2);
  kicked.kick(1, 1);
  kicked.give_up(1, 1, 98'000);
  expect_broken(kicked, "bounded-waits");
}

TEST(Invariants, BoundedWaitsTakesEachControlCpuByItsOwnClock) {
  MadeRun run(3);
  run.kick(1, 1);
  run.note(2, EventKind::kTimeout, 1, 1, run.seen.cpus[1].word); // has begun no turn of it
  EXPECT_EQ(of(run.judged(), "bounded-waits").holds, true);
  run.note(0, EventKind::kTimeout, 1, 1, run.seen.cpus[1].word);
  expect_broken(run, "bounded-waits");
}

TEST(Invariants, BoundedWaitsLeavesAnApThatIsLostToItsFate) {
  MadeRun run = given_up_behind_alive(50'000);
  auto &events = run.seen.cpus[0].events;
  Event lost = *std::ranges::find(events, EventKind::kTimeout, &Event::kind);
  lost.kind = EventKind::kFailed;
  lost.b = abi::failed(abi::FailReason::kLost, 0, 0, 0);
  events.insert(std::ranges::find(events, EventKind::kTimeout, &Event::kind), lost);
  EXPECT_EQ(of(run.judged(), "bounded-waits").holds, true);
}

} // namespace
} // namespace reveille::vmm
