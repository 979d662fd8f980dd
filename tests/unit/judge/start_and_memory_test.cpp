// What a start comes to, and what each side finds of what the other has written: each invariant holds,
// is broken, and is not judged.
#include "tests/unit/judge/made_run.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

void expect_holds(const MadeRun &run, std::string_view name) {
  const InvariantVerdict verdict = of(run.judged(), name);
  EXPECT_EQ(verdict.holds, true) << name << ": " << verdict.evidence;
}

void expect_broken(const MadeRun &run, std::string_view name, const std::string &evidence) {
  const Verdict verdict = run.judged();
  EXPECT_EQ(of(verdict, name).holds, false) << name;
  EXPECT_EQ(of(verdict, name).evidence, evidence);
  EXPECT_EQ(verdict.exit, ExitStatus::kBroken);
}

Event &event_of(MadeRun &run, CpuIndex writer, EventKind kind) {
  auto &events = run.seen.cpus[writer].events;
  return *std::find_if(events.begin(), events.end(), [&](const Event &event) { return event.kind == kind; });
}

VcpuSnapshot halted(std::uint64_t rsp, bool refused) {
  VcpuSnapshot shot;
  shot.mp_state = "halted";
  shot.rsp = rsp;
  shot.refused = refused;
  return shot;
}

constexpr std::string_view kAll[] = {"unknown-refused", "visible-before", "spurious-ignored",
                                     "nothing-freed-early"};

TEST(StartAndMemory, AllAreJudgedInEveryRun) {
  for (const std::string_view name : kAll)
    expect_holds(sound_run(), name);
}

TEST(StartAndMemory, NoneIsJudgedWhenEventsAreLost) {
  MadeRun run = sound_run();
  run.seen.cpus[2].lost_events = 1;
  for (const std::string_view name : kAll) {
    EXPECT_EQ(of(run.judged(), name).holds, std::nullopt) << name;
    EXPECT_NE(of(run.judged(), name).evidence.find("1 events lost"), std::string::npos) << name;
  }
}

// --- unknown-refused

TEST(UnknownRefused, SeesARefusedStartThatHasTouchedSomething) {
  MadeRun run = sound_run();
  run.note(0, EventKind::kStop, 2, 1); // an INIT that lets it begin again
  run.seen.refused.push_back({2, run.now, ""});
  expect_holds(run, "unknown-refused");
  run.seen.refused.back().touched = "its own word";
  expect_broken(run, "unknown-refused",
                "CPU 2 was started and could not claim, and has changed its own word");
}

TEST(UnknownRefused, SeesOneThatHadAStack) {
  MadeRun run = sound_run();
  run.seen.cpus[2].vcpu = halted(0, true);
  expect_holds(run, "unknown-refused");
  run.seen.cpus[2].vcpu->rsp = 0x7ff8;
  expect_broken(run, "unknown-refused", "CPU 2 could not claim, and stands on a stack at 0x7ff8");
}

TEST(UnknownRefused, SeesEventsInAnAttemptThatWasNotClaimed) {
  MadeRun run = sound_run();
  run.note(1, EventKind::kStepEnter, 1, 2, 0, 2);
  const auto index = run.seen.cpus[1].events.size() - 1;
  expect_broken(run, "unknown-refused",
                "CPU 1 wrote event " + std::to_string(index) + " in attempt 2, which it had not claimed");
  MadeRun told = sound_run();
  told.note(1, EventKind::kClaimFailed, 1, 0, Word{1, State::kActive, 0}.bits());
  expect_broken(told, "unknown-refused",
                "CPU 1 has written down that it may not claim, with the word 0x1000f0000");
}

TEST(UnknownRefused, SeesACpuThatTheGuestWasNotToldOf) {
  MadeRun run(3);
  run.up(1);
  run.decided();
  run.seen.cpus[2].presence = Presence::kUnlisted;
  run.seen.found_cpus = 2;
  expect_holds(run, "unknown-refused");
  MadeRun moved = run;
  moved.seen.cpus[2].word = Word{1, State::kClaimed, 0}.bits();
  expect_broken(moved, "unknown-refused",
                "the guest has not been told of CPU 2, and its word is 0x100020000");
  run.note(2, EventKind::kFound, 2, 1);
  expect_broken(run, "unknown-refused", "the guest has not been told of CPU 2, and it has written 1 events");
}

// --- spurious-ignored

TEST(SpuriousIgnored, SeesAnAttemptThatIsBegunTwice) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kClaimed);
  run.note(1, EventKind::kMoved, 1, 1, Word{1, State::kKicked, 0}.bits(), Word{1, State::kClaimed, 0}.bits());
  expect_broken(run, "spurious-ignored", "CPU 1 has begun attempt 1 twice");
}

TEST(SpuriousIgnored, CountsStartsAgainstInits) {
  MadeRun run = sound_run();
  run.seen.refused.push_back({1, run.now, ""}); // the further SIPI of its kick has started it anew
  expect_broken(run, "spurious-ignored", "CPU 1 has begun 2 times, and 1 INITs were sent to it");
  run.seen.refused.clear();
  run.seen.cpus[1].vcpu = halted(0, true);
  expect_broken(run, "spurious-ignored", "CPU 1 has begun 2 times, and 1 INITs were sent to it");
  run.note(0, EventKind::kStop, 1, 1);
  expect_holds(run, "spurious-ignored");
}

TEST(SpuriousIgnored, TakesTheInitsOfFaultsForInits) {
  MadeRun run = sound_run();
  run.seen.refused.push_back({1, run.now, ""});
  run.fault(Action::kReset, abi::Place::kAlive, "alive", 1, HoldEnd::kReset);
  run.seen.firings.back().vcpu = 1;
  expect_holds(run, "spurious-ignored");
  MadeRun sent = sound_run();
  sent.seen.refused.push_back({2, sent.now, ""});
  sent.fault(Action::kRedirect, abi::Place::kAlive, "init", 1, HoldEnd::kDone);
  sent.scenario.faults.back().at.where = DeliveryPlace{Delivery::kInit};
  sent.scenario.faults.back().to = 2;
  expect_holds(sent, "spurious-ignored");
}

TEST(SpuriousIgnored, AnInitThatComesLaterDoesNotExplainAStart) {
  MadeRun run = sound_run();
  run.seen.refused.push_back({1, run.now, ""});
  run.note(0, EventKind::kStop, 1, 1);
  expect_broken(run, "spurious-ignored", "CPU 1 has begun 2 times, and 1 INITs were sent to it");
}

TEST(SpuriousIgnored, AClockThatIsNotInStepMovesNoStartBeforeItsKick) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kAlive);
  run.give_up(1, 1, 100'000);
  run.note(0, EventKind::kStop, 1, 1);
  run.up_again(1, 2);
  for (Event &event : run.seen.cpus[1].events)
    event.tsc = 1; // before anything was sent
  run.decided();
  expect_holds(run, "spurious-ignored");
}

/// An AP that is given up in its first attempt, and an NMI at alive is all that was done to it.
MadeRun struck_run(Action action) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  run.give_up(1, 1, 100'000);
  run.fail(1, 1, State::kStarting);
  run.decided();
  run.fault(action, abi::Place::kAlive, "alive", 1, HoldEnd::kDone);
  run.scenario.faults.back().vector = 0x40;
  run.seen.firings.back().vcpu = 1;
  run.seen.firings.back().word = Word{1, State::kClaimed, 0}.bits();
  return run;
}

TEST(SpuriousIgnored, SeesAnApThatComesToNothingBehindAWakeForNothing) {
  for (const Action action : {Action::kNmi, Action::kInterrupt, Action::kSpuriousSipi})
    expect_broken(struck_run(action), "spurious-ignored",
                  "CPU 1 came to nothing in attempt 1 behind fault 0 at alive, which is to change nothing");
}

TEST(SpuriousIgnored, DoesNotBlameTheWakeForWhatElseWasDone) {
  MadeRun run = struck_run(Action::kNmi);
  run.fault(Action::kStall, abi::Place::kStarted, "started", 1, HoldEnd::kReset);
  expect_holds(run, "spurious-ignored");
  MadeRun early = struck_run(Action::kNmi); // it may have had no handlers yet
  early.scenario.faults.back().at = {"time:1", TimePlace{1}};
  expect_holds(early, "spurious-ignored");
}

TEST(SpuriousIgnored, SeesACpuThatDiesOfOne) {
  MadeRun run = sound_run();
  run.fault(Action::kNmi, abi::Place::kIdle, "idle", 1, HoldEnd::kDone);
  run.seen.firings.back().vcpu = 1;
  run.seen.firings.back().word = Word{1, State::kIdling, 0}.bits();
  expect_holds(run, "spurious-ignored");
  run.seen.crashes.push_back({1, 1, "triple fault", 0});
  expect_broken(run, "spurious-ignored", "CPU 1 died of fault 0 at idle, which is to change nothing");
}

TEST(SpuriousIgnored, SeesAnApThatTakesAWakeForItsRelease) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kAlive);
  run.note(1, EventKind::kResumed, 1, 1, Word{1, State::kStarting, 0}.bits());
  run.fault(Action::kInterrupt, abi::Place::kAlive, "alive", 1, HoldEnd::kDone);
  run.scenario.faults.back().vector = 0x40;
  run.seen.firings.back().vcpu = 1;
  run.seen.firings.back().word = Word{1, State::kAlive, 0}.bits();
  expect_broken(run, "spurious-ignored",
                "CPU 1 went on in attempt 1 behind fault 0 at alive, and nobody had released it");
}

// --- visible-before

TEST(VisibleBefore, SeesAnAreaThatIsNotTheOneOfTheKick) {
  MadeRun run = sound_run();
  event_of(run, 1, EventKind::kFound).a = 7;
  expect_broken(run, "visible-before", "CPU 1 was kicked for attempt 1 with area 101, and has found area 7");
}

TEST(VisibleBefore, SeesNumbersThatAreNotTheOnesOfTheKick) {
  MadeRun run = sound_run();
  event_of(run, 1, EventKind::kFound).b = abi::found(1, 3);
  expect_broken(run, "visible-before",
                "CPU 1 was kicked for try 1 of cycle 1, and has found try 1 of cycle 3");
  MadeRun late = sound_run(); // of an attempt that was given up they may be the next one's
  event_of(late, 1, EventKind::kFound).b = abi::found(2, 1);
  late.note(0, EventKind::kTimeout, 1, 1, Word{1, State::kClaimed, 0}.bits());
  expect_holds(late, "visible-before");
}

TEST(VisibleBefore, KnowsTheCycleThatAKickIsOf) {
  MadeRun run(2);
  run.note(0, EventKind::kCycle, 0, 0, 1);
  run.up(1);
  run.down(1, 1);
  run.note(0, EventKind::kCycle, 0, 0, 2);
  run.up_again(1, 2);
  run.decided();
  expect_broken(run, "visible-before",
                "CPU 1 was kicked for try 2 of cycle 2, and has found try 2 of cycle 1");
  auto &events = run.seen.cpus[1].events;
  for (Event &event : events)
    if (event.kind == EventKind::kFound && event.attempt == 2)
      event.b = abi::found(2, 2);
  expect_holds(run, "visible-before");
}

TEST(VisibleBefore, SeesThatNothingIsThereOfWhatAnApWroteBeforeAlive) {
  MadeRun run = sound_run();
  std::erase_if(run.seen.cpus[1].events, [](const Event &event) { return event.kind == EventKind::kFound; });
  expect_broken(run, "visible-before",
                "CPU 1 was let go on from alive in attempt 1, and nothing is there of what it wrote before");
}

TEST(VisibleBefore, SeesAFailureThatIsNotTheOneThatTheApWrote) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  run.note(1, EventKind::kStepEnter, 1, 1, 1, 2);
  run.note(1, EventKind::kStepDone, 1, 1, 1, abi::step_result(2, -11));
  run.note(0, EventKind::kFailed, 1, 1, 0, abi::failed(abi::FailReason::kError, 2, 1, -11));
  expect_holds(run, "visible-before");
  run.seen.cpus[0].events.back().b = abi::failed(abi::FailReason::kError, 2, 0, 0);
  expect_broken(
      run, "visible-before",
      "CPU 1 failed of step 0 of section 2 with error 0 in attempt 1, and has written down nothing of it");
  run.seen.cpus[0].events.back().b =
      abi::failed(abi::FailReason::kError, 1, 0, -12); // PREPARE is not the AP's
  expect_holds(run, "visible-before");
}

/// CPU 0 does without an AP whose control CPU stands still; that one goes on with the cycle that it was in.
TEST(VisibleBefore, ALostControlCpuMayKickInAnotherCycle) {
  for (const bool lost : {true, false}) {
    MadeRun run(3);
    run.up(2);
    if (lost)
      run.note(0, EventKind::kFailed, 1, 0, 0, abi::failed(abi::FailReason::kLost, 0, 0, 0));
    run.note(0, EventKind::kCycle, 0, 0, 2);
    run.up(1);
    std::vector<Event> &own = run.seen.cpus[1].events;
    std::ranges::find(own, EventKind::kFound, &Event::kind)->b = abi::found(1, 1);
    if (lost)
      expect_holds(run, "visible-before");
    else
      expect_broken(run, "visible-before",
                    "CPU 1 was kicked for try 1 of cycle 2, and has found try 1 of cycle 1");
  }
}

TEST(VisibleBefore, SeesWhatWasSeenOnTheSpot) {
  MadeRun run = sound_run();
  run.seen.not_seen.push_back({1, 1, "its area was 0 at the kick, and 5 at the claim"});
  expect_broken(run, "visible-before", "CPU 1 in attempt 1: its area was 0 at the kick, and 5 at the claim");
}

// --- nothing-freed-early

TEST(NothingFreedEarly, SeesAPageThatALateStartMayStillFind) {
  MadeRun run(2);
  run.kick(1, 1);
  run.give_up(1, 1, 100'000);
  run.kick(1, 1 + abi::kPages);
  expect_broken(run, "nothing-freed-early",
                "CPU 1 was kicked for attempt 17 with the page of attempt 1, which may still come");
}

TEST(NothingFreedEarly, AClaimOfALaterAttemptFreesThePages) {
  MadeRun run(2);
  run.kick(1, 1);
  run.give_up(1, 1, 100'000);
  run.up_again(1, 2);
  run.down(1, 2);
  run.up_again(1, 1 + abi::kPages);
  expect_holds(run, "nothing-freed-early");
}

TEST(NothingFreedEarly, SeesAnAreaThatAnUnprovenAttemptMayStandOn) {
  MadeRun run(3);
  run.kick(1, 1);
  run.climb(1, 1, State::kAlive);
  run.give_up(1, 1, 100'000);
  run.kick(2, 1);
  expect_holds(run, "nothing-freed-early");
  run.seen.cpus[0].events.back().b = MadeRun::area_of(1, 1);
  expect_broken(run, "nothing-freed-early",
                "area 101 was given to CPU 2 (attempt 1), and CPU 1 (attempt 1) may stand on it");
}

TEST(NothingFreedEarly, ProofFreesTheArea) {
  MadeRun run(3);
  run.kick(2, 1);
  run.climb(2, 1, State::kAlive);
  run.give_up(2, 1, 100'000);
  run.move(2, 2, {1, State::kParked, 0});
  run.note(0, EventKind::kProven, 2, 1, run.seen.cpus[2].word);
  const std::uint64_t given_back = run.now;
  run.kick(1, 1);
  run.seen.cpus[0].events.back().b = MadeRun::area_of(2, 1);
  expect_holds(run, "nothing-freed-early");
  run.seen.cpus[0].events.back().tsc = given_back; // the simulated machine does much at one moment
  expect_holds(run, "nothing-freed-early");
}

KeptMemory kept(std::string name, std::uint64_t begin, std::uint64_t size) {
  KeptMemory memory;
  memory.name = std::move(name);
  memory.begin = begin;
  memory.size = size;
  return memory;
}

TEST(NothingFreedEarly, SeesMemoryThatWasChanged) {
  MadeRun run = sound_run();
  run.seen.kept.push_back(kept("the trampoline pages", 0x10000, 0x10000));
  run.seen.kept.back().before = run.seen.kept.back().after = 0x1234;
  expect_holds(run, "nothing-freed-early");
  run.seen.kept.back().after = 0x1235;
  run.seen.kept.back().changed_at = 0x12345;
  expect_broken(run, "nothing-freed-early",
                "the trampoline pages at 0x10000 were changed at 0x12345 between time zero and the end");
}

TEST(NothingFreedEarly, SeesAnApAtRestOnAnotherStack) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kAlive);
  run.give_up(1, 1, 100'000);
  run.move(1, 1, {1, State::kParked, 0});
  run.seen.kept.push_back(kept("the park stacks", 0x200000, 0x1000));
  run.seen.kept.back().is_constant = false;
  run.seen.cpus[1].vcpu = halted(0x201000, false);
  expect_holds(run, "nothing-freed-early");
  run.seen.cpus[1].vcpu->rsp = 0x201008;
  expect_broken(run, "nothing-freed-early",
                "CPU 1 has come to rest on a stack at 0x201008, and the park stacks are 0x200000..0x200fff");
  run.fault(Action::kStall, abi::Place::kStarted, "started", 1, HoldEnd::kReleased); // where it was late
  EXPECT_EQ(of(run.judged(), "nothing-freed-early").holds, false);
  run.fault(Action::kJump, abi::Place::kStarted, "started", 1, HoldEnd::kDone); // it may be anywhere
  expect_holds(run, "nothing-freed-early");
}

TEST(NothingFreedEarly, IsNotJudgedWhereTheGuestDoesNotSayWhatItKeeps) {
  MadeRun run = sound_run();
  run.seen.kept_gap = "the guest does not say where its trampoline pages are";
  EXPECT_EQ(of(run.judged(), "nothing-freed-early").holds, std::nullopt);
  EXPECT_EQ(of(run.judged(), "nothing-freed-early").evidence, run.seen.kept_gap);
}

} // namespace
} // namespace reveille::vmm
