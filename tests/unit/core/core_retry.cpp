// Further attempts: pages in debt, quarantine, and what counts as proof.
#include "scripted_machine.hpp"

namespace {

using namespace reveille::unit;
using reveille::abi::kPages;

/// Claimed, and given up before it had done more.
constexpr State kSomewhere = State::kClaimed;

std::vector<std::uint32_t> kicked_attempts(const Single &s) {
  std::vector<std::uint32_t> attempts;
  for (const auto &[cpu, attempt] : s.machine.kicks)
    attempts.push_back(attempt);
  return attempts;
}

TEST(Retry, IsANewAttemptWithAFreshArea) {
  Single s;
  s.give_up_in(State::kStarting);
  EXPECT_EQ(s.kick(), Outcome::kTurn);
  EXPECT_EQ(s.seen(), (Word{2, State::kKicked, 0}));
  EXPECT_EQ(s.machine.token_of_page(Single::kCpu, 1), 1U);
  EXPECT_EQ(s.machine.token_of_page(Single::kCpu, 2), 2U);
  EXPECT_EQ(s.machine.ordinal(Single::kCpu), 2U);
  EXPECT_TRUE(s.machine.freed.empty());
}

TEST(Quarantine, HoldsWhatAClaimedAttemptCanReach) {
  for (const State state : {State::kClaimed, State::kStarting, State::kSyncing, State::kOnlining,
                            State::kIdling, State::kActivating}) {
    Single s;
    s.give_up_in(state);
    EXPECT_EQ(s.control.quarantined(), 1U) << reveille::protocol::name(state);
    EXPECT_TRUE(s.machine.undone.empty());
    EXPECT_TRUE(s.machine.was_logged(EventKind::kQuarantined));
    EXPECT_EQ(s.look(), Outcome::kNothing);
    EXPECT_EQ(s.control.quarantined(), 1U) << "abandoned is no proof";
    EXPECT_TRUE(s.machine.undone.empty());
  }
}

TEST(Quarantine, IsNotForAnAttemptThatNobodyClaimed) {
  Single s;
  s.give_up_in(State::kKicked);
  EXPECT_EQ(s.control.quarantined(), 0U);
  EXPECT_EQ(s.machine.freed, std::vector<std::uint32_t>{1});
  EXPECT_EQ(s.machine.undone,
            (std::vector<Undone>{{1, 1, Section::kPrepare, 1}, {1, 1, Section::kPrepare, 0}}));
  EXPECT_FALSE(s.machine.was_logged(EventKind::kQuarantined));
  EXPECT_FALSE(s.machine.was_logged(EventKind::kProven));
}

TEST(Proof, IsAParkedAp) {
  Single s;
  s.up_to(State::kStarting);
  s.ap(State::kStarting, 1);
  EXPECT_EQ(s.expire(), Outcome::kGaveUp);
  s.ap(State::kParked);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  EXPECT_EQ(s.control.quarantined(), 0U);
  EXPECT_EQ(s.machine.undone, (std::vector<Undone>{{1, 1, Section::kStarting, 1},
                                                   {1, 1, Section::kStarting, 0},
                                                   {1, 1, Section::kPrepare, 1},
                                                   {1, 1, Section::kPrepare, 0}}));
  EXPECT_EQ(Word::from(s.machine.last(EventKind::kProven).a).state, State::kParked);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  EXPECT_EQ(s.machine.undone.size(), 4U) << "undone once";
  EXPECT_EQ(s.machine.logged(EventKind::kProven).size(), 1U);
}

TEST(Proof, IsAnApThatParksUnderTheKick) {
  Single s;
  s.give_up_in(State::kClaimed);
  s.ap(State::kParked);
  EXPECT_EQ(s.kick(), Outcome::kTurn);
  EXPECT_EQ(s.control.quarantined(), 0U);
  EXPECT_EQ(s.machine.freed, std::vector<std::uint32_t>{1});
}

TEST(Proof, IsNotAKickNorAClaimThatIsNotSeen) {
  Single s;
  s.give_up_in(State::kClaimed);
  EXPECT_EQ(s.kick(), Outcome::kTurn);
  EXPECT_EQ(s.control.quarantined(), 1U);
  s.ap(State::kClaimed);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  EXPECT_TRUE(s.machine.freed.empty());
}

TEST(Proof, IsALaterAttemptAliveAndComesBeforeItsRelease) {
  Single s;
  s.give_up_in(State::kStarting);
  s.give_up_in(State::kOnlining);
  EXPECT_EQ(s.control.quarantined(), 1U) << "the second has proven the first";
  EXPECT_EQ(s.machine.freed, std::vector<std::uint32_t>{1});
  EXPECT_EQ(s.kick(), Outcome::kTurn);
  s.up_to(State::kAlive);
  EXPECT_EQ(s.look(), Outcome::kAtGate);
  EXPECT_EQ(s.seen().state, State::kAlive);
  EXPECT_EQ(s.control.quarantined(), 0U);
  EXPECT_EQ(s.machine.freed, (std::vector<std::uint32_t>{1, 2}));
}

TEST(Proof, IsALaterAttemptThatIsGivenUpAfterItsClaim) {
  Single s;
  s.give_up_in(State::kStarting);
  s.give_up_in(State::kClaimed);
  EXPECT_EQ(s.control.quarantined(), 1U);
  EXPECT_EQ(s.machine.freed, std::vector<std::uint32_t>{1});
  s.give_up_in(State::kKicked);
  EXPECT_EQ(s.control.quarantined(), 1U) << "an attempt that nobody claimed proves nothing";
  EXPECT_EQ(s.machine.freed, (std::vector<std::uint32_t>{1, 3}));
}

TEST(Proof, OfAllOlderAttemptsAtOnce) {
  Single s;
  s.give_up_in(kSomewhere);
  s.machine.local[{Section::kStarting, 0}] = true;
  s.give_up_in(State::kIdling);
  EXPECT_EQ(s.control.quarantined(), 1U);
  s.up_to(State::kAlive);
  EXPECT_EQ(s.look(), Outcome::kAtGate);
  EXPECT_EQ(s.control.quarantined(), 1U) << "a step that the CP may not undo keeps it";
  EXPECT_EQ(s.machine.logged(EventKind::kProven).size(), 2U);
  EXPECT_EQ(s.look(), Outcome::kAtGate);
  EXPECT_EQ(s.machine.logged(EventKind::kProven).size(), 2U) << "proven once";
  EXPECT_EQ(s.machine.undone.back(), (Undone{1, 2, Section::kStarting, 1}));
}

TEST(Proof, OfOneAttemptIsNotOfAnother) {
  Single s;
  s.machine.local[{Section::kStarting, 1}] = true; // so that the first stays
  s.give_up_in(State::kSyncing);
  s.give_up_in(kSomewhere);
  EXPECT_EQ(s.control.quarantined(), 2U);
  const std::size_t before = s.machine.undone.size();
  s.ap(State::kParked);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  EXPECT_EQ(s.control.quarantined(), 1U);
  EXPECT_EQ(s.machine.undone.size(), before + 2) << "PREPARE of the second, and no more of the first";
  EXPECT_EQ(s.machine.freed, std::vector<std::uint32_t>{2});
}

TEST(Pages, OfAnUnclaimedAttemptAreNotUsedAgain) {
  Single s;
  for (unsigned i = 0; i < kPages; ++i)
    s.give_up_in(State::kKicked);
  EXPECT_EQ(s.kick(), Outcome::kGaveUp) << "sixteen kicks may still be on their way";
  EXPECT_FALSE(s.control.can_retry());
  EXPECT_EQ(s.machine.kicks.size(), kPages);
  EXPECT_EQ(s.machine.freed.size(), kPages);
  s.control.failed(s.machine);
  EXPECT_EQ(reveille::abi::failure_of(s.machine.last(EventKind::kFailed).b).reason,
            reveille::abi::FailReason::kNoAttempt);
}

/// Attempts that fail in PREPARE: they take a number, but nobody is kicked to their pages.
void fail_to_prepare(Single &s, unsigned attempts) {
  s.machine.start = [](Section, unsigned, unsigned, std::uint32_t) { return -12; };
  for (unsigned i = 0; i < attempts; ++i)
    ASSERT_EQ(s.kick(), Outcome::kGaveUp);
  s.machine.start = [](Section, unsigned, unsigned, std::uint32_t) { return 0; };
}

TEST(Pages, InDebtAreSkipped) {
  Single s;
  s.give_up_in(State::kKicked); // attempt 1: its page stays in debt
  fail_to_prepare(s, kPages - 1);
  EXPECT_EQ(s.kick(), Outcome::kTurn);
  EXPECT_EQ(s.seen(), (Word{kPages + 2, State::kKicked, 0})) << "17 would start on the page of 1";
}

TEST(Pages, InDebtAreFreeOnceALaterAttemptIsClaimed) {
  for (const State state : {State::kClaimed, State::kAlive}) {
    Single s;
    for (unsigned i = 1; i < kPages; ++i)
      s.give_up_in(State::kKicked);
    s.up_to(state); // 16: the CPU has left the pages of 1..15
    EXPECT_EQ(state == State::kAlive ? s.look() : s.expire(),
              state == State::kAlive ? Outcome::kAtGate : Outcome::kGaveUp);
    if (state == State::kAlive) {
      EXPECT_EQ(s.pass(), Outcome::kTurn);
      EXPECT_EQ(s.expire(), Outcome::kGaveUp);
    }
    EXPECT_EQ(s.kick(), Outcome::kTurn);
    EXPECT_EQ(s.seen(), (Word{kPages + 1, State::kKicked, 0})) << "on the page of 1";
  }
}

TEST(Pages, OfAnUnprovenAttemptAreSkippedUntilItsProof) {
  for (const bool parks : {false, true}) {
    Single s;
    s.give_up_in(kSomewhere); // 1
    fail_to_prepare(s, kPages - 1);
    EXPECT_EQ(s.control.quarantined(), 1U);
    if (parks) {
      s.ap(State::kParked);
      EXPECT_EQ(s.look(), Outcome::kNothing);
    }
    EXPECT_EQ(s.kick(), Outcome::kTurn);
    EXPECT_EQ(s.seen().attempt, kPages + (parks ? 1 : 2));
    EXPECT_EQ(kicked_attempts(s).size(), 2U);
  }
}

TEST(Pages, AreDebtBeforeTheNextKickEvenIfTheApParksRightThen) {
  Single s;
  s.give_up_in(kSomewhere); // 1, unproven when the number of the next attempt is chosen
  for (unsigned i = 2; i <= kPages; ++i)
    s.give_up_in(State::kKicked); // 2..16 on debt, and 1 too
  EXPECT_EQ(s.kick(), Outcome::kGaveUp);
  EXPECT_EQ(s.machine.kicks.size(), kPages);
}

TEST(Pages, OfTheLastAttemptMayBeTheOnlyOneFree) {
  Single s;
  for (unsigned i = 1; i < kPages; ++i)
    s.give_up_in(State::kKicked);
  fail_to_prepare(s, 1);
  EXPECT_EQ(s.kick(), Outcome::kTurn);
  EXPECT_EQ(s.seen(), (Word{2 * kPages, State::kKicked, 0}));
}

TEST(Quarantine, ThatIsFullEndsTheAttempts) {
  Single s;
  s.machine.local[{Section::kStarting, 2}] = true; // no attempt can ever be undone
  for (unsigned i = 0; i < kPages; ++i)
    s.give_up_in(State::kSyncing);
  EXPECT_EQ(s.control.quarantined(), kPages);
  EXPECT_EQ(s.kick(), Outcome::kGaveUp);
  EXPECT_FALSE(s.control.can_retry());
  EXPECT_EQ(s.control.quarantined(), kPages);
}

TEST(Prepare, ThatFailsIsUndoneAndNobodyIsKicked) {
  for (unsigned bad = 0; bad < 2; ++bad) {
    Single s;
    s.machine.start = [&](Section section, unsigned step, unsigned, std::uint32_t) {
      return section == Section::kPrepare && step == bad ? -12 : 0;
    };
    EXPECT_EQ(s.kick(), Outcome::kGaveUp);
    EXPECT_TRUE(s.machine.kicks.empty());
    EXPECT_EQ(s.seen().state, State::kDown);
    ASSERT_EQ(s.machine.undone.size(), bad + 1) << "the failed step is half done";
    EXPECT_EQ(s.machine.undone.front().step, bad);
    EXPECT_EQ(s.machine.undone.back().step, 0U);
    EXPECT_TRUE(s.control.can_retry());
    s.control.failed(s.machine);
    EXPECT_EQ(s.machine.last(EventKind::kFailed).b,
              reveille::abi::failed(reveille::abi::FailReason::kError, 1, bad, -12));
    s.machine.start = [](Section, unsigned, unsigned, std::uint32_t) { return 0; };
    s.up_to(State::kActive);
    EXPECT_EQ(s.look(), Outcome::kActive);
  }
}

} // namespace
