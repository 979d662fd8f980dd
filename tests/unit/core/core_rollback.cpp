// A step of the AP's fails: the report, the order to roll back, and dead.
#include "scripted_machine.hpp"

namespace {

using namespace reveille::unit;
using reveille::abi::FailReason;

std::uint64_t account(Section section, unsigned step, int error) {
  return reveille::abi::failed(FailReason::kError, static_cast<unsigned>(section), step, error);
}

TEST(Rollback, OfStartingEndsDeadWithPrepareUndone) {
  Single s;
  s.up_to(State::kStarting);
  s.ap(State::kStarting, 1);
  s.machine.ap_reports(Single::kCpu, State::kStartFailed, 1, -11);
  EXPECT_EQ(s.look(), Outcome::kTurn) << "a turn of its own, to roll back in";
  EXPECT_EQ(s.seen(), (Word{1, State::kUndoStarting, 0}));
  EXPECT_EQ(s.look(), Outcome::kNothing);
  s.ap(State::kUndoStarting, 1);
  s.ap(State::kUndoStarting, 2);
  EXPECT_TRUE(s.machine.undone.empty()) << "that is the AP's own";
  s.ap(State::kDead);
  EXPECT_EQ(s.look(), Outcome::kGaveUp);
  EXPECT_EQ(s.machine.undone,
            (std::vector<Undone>{{1, 1, Section::kPrepare, 1}, {1, 1, Section::kPrepare, 0}}));
  EXPECT_EQ(Word::from(s.machine.last(EventKind::kProven).a).state, State::kDead);
  EXPECT_EQ(s.control.quarantined(), 0U);
  EXPECT_TRUE(s.machine.stops.empty());
  EXPECT_TRUE(s.control.can_retry());
  s.control.failed(s.machine);
  EXPECT_EQ(s.machine.last(EventKind::kFailed).b, account(Section::kStarting, 1, -11));
  EXPECT_EQ(s.look(), Outcome::kNothing) << "decided once";
}

TEST(Rollback, OfOnlineGoesDownThroughDying) {
  Single s;
  s.up_to(State::kActivating);
  s.machine.ap_reports(Single::kCpu, State::kActivateFailed, 0, -5);
  EXPECT_EQ(s.look(), Outcome::kTurn);
  EXPECT_EQ(s.seen(), (Word{1, State::kUndoOnline, 0}));
  s.ap(State::kUndoOnline, 1);
  s.ap(State::kDying);
  EXPECT_EQ(s.look(), Outcome::kAtGate);
  EXPECT_EQ(s.pass(), Outcome::kTurn);
  EXPECT_EQ(s.seen(), (Word{1, State::kUndoStarting, 0}));
  for (std::uint16_t step = 1; step <= 3; ++step)
    s.ap(State::kUndoStarting, step);
  s.ap(State::kDead);
  EXPECT_EQ(s.expire(), Outcome::kGaveUp) << "found, though the turn is over";
  EXPECT_FALSE(s.machine.was_logged(EventKind::kTimeout));
  s.control.failed(s.machine);
  EXPECT_EQ(s.machine.last(EventKind::kFailed).b, account(Section::kOnline, 0, -5));
  EXPECT_EQ(s.machine.freed, std::vector<std::uint32_t>{1});
}

TEST(Rollback, ThatIsGivenUpLeavesWhatItHasNotUndone) {
  Single s;
  s.up_to(State::kStarting);
  s.ap(State::kStarting, 1);
  s.ap(State::kStarting, 2);
  s.machine.ap_reports(Single::kCpu, State::kStartFailed, 2, -11);
  EXPECT_EQ(s.look(), Outcome::kTurn);
  s.ap(State::kUndoStarting, 1); // step 2 is undone; the teardown of step 1 is where it hangs
  EXPECT_EQ(s.expire(), Outcome::kGaveUp);
  EXPECT_EQ(s.control.quarantined(), 1U);
  s.ap(State::kParked);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  EXPECT_EQ(s.machine.undone, (std::vector<Undone>{{1, 1, Section::kStarting, 1},
                                                   {1, 1, Section::kStarting, 0},
                                                   {1, 1, Section::kPrepare, 1},
                                                   {1, 1, Section::kPrepare, 0}}));
  s.control.failed(s.machine);
  EXPECT_EQ(reveille::abi::failure_of(s.machine.last(EventKind::kFailed).b).reason, FailReason::kTimeout);
}

TEST(Rollback, OfOnlineThatIsGivenUpLeavesBothSections) {
  Single s;
  s.up_to(State::kActivating);
  s.ap(State::kActivating, 1);
  s.machine.ap_reports(Single::kCpu, State::kActivateFailed, 1, -11);
  EXPECT_EQ(s.look(), Outcome::kTurn);
  s.ap(State::kUndoOnline, 1);
  EXPECT_EQ(s.expire(), Outcome::kGaveUp);
  s.ap(State::kParked);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  ASSERT_EQ(s.machine.undone.size(), 6U);
  EXPECT_EQ(s.machine.undone[0], (Undone{1, 1, Section::kOnline, 0}));
  EXPECT_EQ(s.machine.undone[1], (Undone{1, 1, Section::kStarting, 2}));
}

TEST(Rollback, AfterDyingThatIsGivenUpLeavesTheRestOfStarting) {
  Single s;
  s.up_to(State::kActivating);
  s.machine.ap_reports(Single::kCpu, State::kActivateFailed, 0, -11);
  EXPECT_EQ(s.look(), Outcome::kTurn);
  s.ap(State::kUndoOnline, 1);
  s.ap(State::kDying);
  EXPECT_EQ(s.look(), Outcome::kAtGate);
  EXPECT_EQ(s.pass(), Outcome::kTurn);
  s.ap(State::kUndoStarting, 1);
  EXPECT_EQ(s.expire(), Outcome::kGaveUp);
  s.ap(State::kParked);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  ASSERT_EQ(s.machine.undone.size(), 4U);
  EXPECT_EQ(s.machine.undone[0], (Undone{1, 1, Section::kStarting, 1}));
}

TEST(Rollback, OfOneAttemptIsForgottenInTheNext) {
  Single s;
  s.up_to(State::kStarting);
  s.machine.ap_reports(Single::kCpu, State::kStartFailed, 2, -11);
  EXPECT_EQ(s.look(), Outcome::kTurn);
  s.ap(State::kDead);
  EXPECT_EQ(s.look(), Outcome::kGaveUp);
  s.machine.undone.clear();
  s.give_up_in(State::kSyncing);
  s.ap(State::kParked);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  EXPECT_EQ(s.machine.undone.size(), 5U) << "all of STARTING, and PREPARE";
}

TEST(Rollback, AllowsAnotherAttemptAfterDead) {
  Single s;
  s.up_to(State::kStarting);
  s.machine.ap_reports(Single::kCpu, State::kStartFailed, 0, -11);
  EXPECT_EQ(s.look(), Outcome::kTurn);
  s.ap(State::kUndoStarting, 1);
  s.ap(State::kDead);
  EXPECT_EQ(s.look(), Outcome::kGaveUp);
  EXPECT_EQ(s.kick(), Outcome::kTurn);
  s.up_to(State::kActive);
  EXPECT_EQ(s.look(), Outcome::kActive);
  EXPECT_EQ(s.seen().attempt, 2U);
}

} // namespace
