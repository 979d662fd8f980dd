// What the host has written into guest memory: that one transition is exempt, and no other.
#include "tests/unit/judge/made_run.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

/// The host has made another word of CPU 1's, in its first attempt.
void write(MadeRun &run, Action action, abi::Place place, std::string at, std::uint64_t after) {
  const std::uint64_t before = run.seen.cpus[1].word;
  run.fault(action, place, std::move(at), 1, HoldEnd::kDone);
  run.seen.firings.back().word = before;
  run.seen.firings.back().wrote = WordWrite{before, after};
  run.seen.cpus[1].word = after;
}

void give_up_as_corrupt(MadeRun &run, std::uint64_t seen) {
  run.note(0, EventKind::kCorrupt, 1, 1, seen);
  run.note(0, EventKind::kFailed, 1, 1, seen, abi::failed(abi::FailReason::kCorrupt, 0, 0, 0));
  run.decided();
}

/// CPU 1's word is flipped just before alive, and its control CPU finds that it is none.
MadeRun flipped_run(std::uint64_t bits) {
  MadeRun run(3);
  run.up(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kClaimed);
  write(run, Action::kFlip, abi::Place::kAlive, "alive", run.seen.cpus[1].word ^ bits);
  give_up_as_corrupt(run, run.seen.cpus[1].word);
  run.expect_failed(1, "lost@alive");
  return run;
}

TEST(Writes, AFlippedWordIsLostAndNothingIsBroken) {
  for (const std::uint64_t bits : {0x800000ULL, 0x100000000ULL, 0xffff0000ULL}) {
    const Verdict verdict = flipped_run(bits).judged();
    EXPECT_EQ(verdict.kind, VerdictKind::kPass) << bits;
    EXPECT_EQ(verdict.cpus[1].reason, "lost@alive");
    EXPECT_EQ(verdict.cpus[1].quarantined, 1U) << "nothing proves its attempt over";
    EXPECT_EQ(of(verdict, "legal-transitions").holds, true);
  }
}

TEST(Writes, TheSameWordIsBrokenWhenNobodyHasWrittenIt) {
  MadeRun run = flipped_run(0x800000);
  run.seen.firings.back().wrote.reset();
  EXPECT_EQ(of(run.judged(), "legal-transitions").holds, false);
}

TEST(Writes, NoOtherWordOfThatCpuIsExempt) {
  MadeRun run = flipped_run(0x800000);
  run.seen.cpus[1].word ^= 0x1000000; // a second stray bit
  const InvariantVerdict verdict = of(run.judged(), "legal-transitions");
  EXPECT_EQ(verdict.holds, false);
  EXPECT_NE(verdict.evidence.find("which is none"), std::string::npos) << verdict.evidence;
}

TEST(Writes, AMoveThatNobodyMadeIsSeenBesideAWrite) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kClaimed);
  write(run, Action::kFlip, abi::Place::kAlive, "alive", run.seen.cpus[1].word ^ 1);
  run.seen.cpus[1].word = Word{1, State::kStarting, 1}.bits(); // neither the host's nor anybody's
  run.decided();
  const InvariantVerdict verdict = of(run.judged(), "legal-transitions");
  EXPECT_EQ(verdict.holds, false);
  EXPECT_NE(verdict.evidence.find("nobody has moved it on"), std::string::npos) << verdict.evidence;
}

/// The flip makes an arrival of it: the CP answers, waits for nobody, and gives it up.
TEST(Writes, AReleaseMayAnswerAnArrivalThatTheHostHasMade) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kClaimed);
  write(run, Action::kFlip, abi::Place::kAlive, "alive", Word{1, State::kAlive, 0}.bits());
  run.move(0, 1, {1, State::kStarting, 0});
  run.give_up(1, 1, 100'000);
  run.fail(1, 1, State::kStarting);
  run.decided();
  run.expect_failed(1, "lost@alive");
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.kind, VerdictKind::kPass);
  EXPECT_EQ(verdict.cpus[1].reason, "lost@alive") << "what others made of its word is not its way";
  run.seen.firings.back().wrote.reset();
  run.seen.firings.back().end = HoldEnd::kReleased;
  EXPECT_EQ(of(run.judged(), "matched-release").holds, false);
}

TEST(Writes, ACpuThatIsCalledUpForAFlippedWordIsLost) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kActivating);
  run.section(1, 1, State::kActivating, Section::kOnline, 1);
  const Word active{1, State::kActive, 1};
  write(run, Action::kFlip, abi::Place::kActive, "active", active.bits());
  run.note(0, EventKind::kOnline, 1, 1, active.bits());
  run.decided();
  run.expect_failed(1, "lost@active");
  EXPECT_EQ(run.judged().kind, VerdictKind::kPass);
}

TEST(Writes, AWordThatGoesBadWhenItsCpuIsUpLosesIt) {
  MadeRun run = sound_run();
  write(run, Action::kFlip, abi::Place::kActiveReleased, "active.released", run.seen.cpus[1].word ^ 0x800000);
  run.expect_failed(1, "lost@active");
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.kind, VerdictKind::kPass);
  EXPECT_EQ(verdict.cpus[1].reason, "lost@active");
  EXPECT_EQ(of(verdict, "online-window").holds, true);
}

/// The CP looked between the flip and the AP's swap, took the word for an arrival, and made it what it was.
TEST(Writes, ACpuThatIsLetGoOnceMoreIsUp) {
  MadeRun run(2);
  run.kick(1, 1);
  run.climb(1, 1, State::kStarting);
  write(run, Action::kFlip, abi::Place::kAliveReleased, "alive.released", Word{1, State::kAlive, 0}.bits());
  run.move(0, 1, {1, State::kStarting, 0});
  run.section(1, 1, State::kStarting, Section::kStarting, 2);
  for (const State state : {State::kStarted, State::kSyncing, State::kSynced, State::kOnlining,
                            State::kOnline, State::kIdling, State::kIdle, State::kActivating, State::kActive})
    run.move(protocol::row(Word::from(run.seen.cpus[1].word).state).owner == protocol::Owner::kAp ? 1 : 0, 1,
             {1, state, 0});
  run.note(0, EventKind::kOnline, 1, 1, run.seen.cpus[1].word);
  run.decided();
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[1].outcome, CpuOutcome::kOnline);
  for (const char *name : {"legal-transitions", "one-writer", "matched-release"})
    EXPECT_EQ(of(verdict, name).holds, true) << of(verdict, name).evidence;
}

TEST(Writes, AnAttemptThatWasWrittenDoesNotTaintTheNext) {
  MadeRun run(2);
  run.scenario.bringup.attempts = 2;
  run.kick(1, 1);
  run.climb(1, 1, State::kClaimed);
  write(run, Action::kFlip, abi::Place::kAlive, "alive", run.seen.cpus[1].word ^ 1);
  run.give_up(1, 1, 100'000);
  run.up_again(1, 2);
  run.decided();
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.cpus[1].outcome, CpuOutcome::kOnline);
  EXPECT_EQ(of(verdict, "legal-transitions").holds, true) << of(verdict, "legal-transitions").evidence;
}

TEST(Writes, GarbageInARingIsNamedAndLeavesTheRestUnjudged) {
  MadeRun run = sound_run();
  run.fault(Action::kGarbage, abi::Place::kSynced, "synced", 2, HoldEnd::kDone);
  auto &ring = run.seen.cpus[2].events;
  ring.insert(ring.begin() + 3, abi::kGarbageEvent);
  const Verdict verdict = run.judged();
  EXPECT_EQ(verdict.gap, "event 3 in the ring of CPU 2 is none that a guest writes");
  EXPECT_EQ(of(verdict, "legal-transitions").holds, std::nullopt);
  EXPECT_EQ(of(verdict, "legal-transitions").evidence, verdict.gap);
  EXPECT_EQ(verdict.kind, VerdictKind::kPass);
}

} // namespace
} // namespace reveille::vmm
