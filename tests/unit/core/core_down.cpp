// Down: one control object and an AP that is moved by hand, from active through dying to dead,
// and what is left of it when it is given up on the way.
#include "scripted_machine.hpp"

namespace {

using namespace reveille::unit;
using reveille::abi::FailReason;

const std::vector<Undone> kPrepareUndone = {{1, 1, Section::kPrepare, 1}, {1, 1, Section::kPrepare, 0}};

std::uint64_t reason(Single &s) {
  s.control.failed(s.machine);
  return s.machine.last(EventKind::kFailed).b;
}

const std::uint64_t kTimedOut = reveille::abi::failed(FailReason::kTimeout, 0, 0, 0);

TEST(Down, GoesThroughDyingToDead) {
  Single s;
  s.down_to(State::kUndoOnline);
  EXPECT_TRUE(s.control.is_open());
  s.ap(State::kUndoOnline, 1);
  s.ap(State::kUndoOnline, 2);
  EXPECT_EQ(s.look(), Outcome::kNothing) << "it is under way";
  s.ap(State::kDying);
  EXPECT_EQ(s.look(), Outcome::kAtGate);
  EXPECT_EQ(s.seen().state, State::kDying) << "STARTING steps may be for one CPU at a time";
  EXPECT_EQ(s.pass(), Outcome::kTurn);
  for (std::uint16_t step = 1; step <= 3; ++step)
    s.ap(State::kUndoStarting, step);
  EXPECT_TRUE(s.machine.undone.empty()) << "all of that is the AP's own";
  s.ap(State::kDead);
  EXPECT_EQ(s.look(), Outcome::kDown);
  EXPECT_EQ(s.machine.undone, kPrepareUndone);
  EXPECT_FALSE(s.control.is_open());
  EXPECT_EQ(s.control.quarantined(), 0U);
  EXPECT_EQ(Word::from(s.machine.last(EventKind::kProven).a), (Word{1, State::kDead, 0}));
  EXPECT_EQ(s.machine.logged(EventKind::kTakeDown).size(), 1U);
  EXPECT_EQ(Word::from(s.machine.last(EventKind::kTakeDown).a), (Word{1, State::kActive, 0}));
  EXPECT_EQ(s.machine.logged(EventKind::kOffline).size(), 1U);
  EXPECT_EQ(s.look(), Outcome::kNothing) << "decided once";
}

TEST(Down, BeginsAtTheGateOfItsOnlineTeardowns) {
  Single s;
  s.up_to(State::kActive);
  EXPECT_EQ(s.look(), Outcome::kActive);
  EXPECT_EQ(s.control.section(), Section::kNone);
  const std::size_t woken = s.machine.woken.size();
  EXPECT_EQ(s.control.take_down(s.machine), Outcome::kAtGate);
  EXPECT_EQ(s.control.section(), Section::kOnline);
  EXPECT_EQ(s.seen().state, State::kActive) << "nobody has let it in";
  EXPECT_EQ(s.look(), Outcome::kAtGate) << "a hint is no more than a hint";
  EXPECT_EQ(s.seen().state, State::kActive);
  EXPECT_EQ(s.machine.woken.size(), woken);
  EXPECT_EQ(s.pass(), Outcome::kTurn);
  EXPECT_EQ(s.seen(), (Word{1, State::kUndoOnline, 0}));
  EXPECT_EQ(s.machine.woken.size(), woken + 1) << "it halts";
  EXPECT_EQ(s.control.section(), Section::kOnline);
  EXPECT_EQ(s.machine.logged(EventKind::kOnline).size(), 1U);
}

TEST(Down, IsFoundHoweverLateItLooks) {
  Single s;
  s.down_to(State::kDying);
  EXPECT_EQ(s.expire(), Outcome::kAtGate);
  EXPECT_EQ(s.pass(), Outcome::kTurn);
  s.ap(State::kDead);
  EXPECT_EQ(s.expire(), Outcome::kDown);
  EXPECT_FALSE(s.machine.was_logged(EventKind::kTimeout));
}

TEST(Down, AndUpAgainIsANewAttempt) {
  Single s;
  for (std::uint32_t cycle = 1; cycle <= 3 * reveille::abi::kPages; ++cycle) {
    s.control.begin_cycle(cycle);
    s.up_to(State::kActive);
    EXPECT_EQ(s.seen().attempt, cycle) << "never used again";
    EXPECT_EQ(s.machine.ordinal(Single::kCpu), 1U) << "counted anew in each cycle";
    EXPECT_EQ(s.machine.cycle(Single::kCpu), cycle);
    s.down_to(State::kDead);
    EXPECT_EQ(s.look(), Outcome::kDown);
    EXPECT_EQ(s.machine.freed.size(), cycle);
  }
}

struct Hang {
  State state;
  std::uint16_t step;
  unsigned online, starting; ///< steps that are left to undo
};

class GivenUpOnTheWayDown : public testing::TestWithParam<Hang> {};

TEST_P(GivenUpOnTheWayDown, LeavesWhatItHasNotUndone) {
  const Hang hang = GetParam();
  Single s;
  s.down_to(hang.state);
  for (std::uint16_t step = 1; step <= hang.step; ++step)
    s.ap(hang.state, step);
  EXPECT_EQ(s.expire(), Outcome::kGaveUp);
  EXPECT_EQ(s.seen(), (Word{1, State::kAbandoned, hang.step}));
  EXPECT_EQ(s.control.quarantined(), 1U);
  EXPECT_TRUE(s.machine.undone.empty()) << "nothing is proven";
  EXPECT_EQ(s.machine.stops.size(), 1U);
  EXPECT_EQ(reason(s), kTimedOut);
  EXPECT_EQ(Word::from(s.machine.last(EventKind::kFailed).a), (Word{1, hang.state, hang.step}));
  EXPECT_FALSE(s.machine.was_logged(EventKind::kOffline));
  s.ap(State::kParked);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  std::vector<Undone> expected;
  for (unsigned i = hang.online; i-- > 0;)
    expected.push_back({1, 1, Section::kOnline, i});
  for (unsigned i = hang.starting; i-- > 0;)
    expected.push_back({1, 1, Section::kStarting, i});
  expected.insert(expected.end(), kPrepareUndone.begin(), kPrepareUndone.end());
  EXPECT_EQ(s.machine.undone, expected);
  EXPECT_EQ(s.control.quarantined(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Wherever, GivenUpOnTheWayDown,
                         testing::Values(Hang{State::kUndoOnline, 0, 2, 3}, Hang{State::kUndoOnline, 1, 1, 3},
                                         Hang{State::kUndoOnline, 2, 0, 3},
                                         Hang{State::kUndoStarting, 0, 0, 3},
                                         Hang{State::kUndoStarting, 2, 0, 1},
                                         Hang{State::kUndoStarting, 3, 0, 0}));

TEST(Down, ForgetsTheFailureOfAnEarlierAttempt) {
  Single s;
  s.up_to(State::kStarting);
  s.machine.ap_reports(Single::kCpu, State::kStartFailed, 0, -11);
  EXPECT_EQ(s.look(), Outcome::kTurn);
  s.ap(State::kDead);
  EXPECT_EQ(s.look(), Outcome::kGaveUp);
  s.down_to(State::kUndoStarting);
  s.ap(State::kDead);
  EXPECT_EQ(s.look(), Outcome::kDown) << "the step had failed in the attempt before";
}

TEST(Down, OfACorruptWordTouchesNothing) {
  for (const Word &word :
       {Word{1, State::kParked, 0}, Word{2, State::kActive, 0}, Word{1, State::kKicked, 0}}) {
    Single s;
    s.up_to(State::kActive);
    EXPECT_EQ(s.look(), Outcome::kActive);
    s.machine.word(Single::kCpu) = word.bits(); // while nobody looked
    EXPECT_EQ(s.control.take_down(s.machine), Outcome::kAtGate);
    EXPECT_EQ(s.pass(), Outcome::kGaveUp);
    EXPECT_EQ(s.seen(), word);
    EXPECT_TRUE(s.machine.undone.empty());
    EXPECT_FALSE(s.control.can_retry());
    EXPECT_EQ(reveille::abi::failure_of(reason(s)).reason, FailReason::kCorrupt);
  }
}

TEST(Steps, ThatAreAddedWhileACpuIsUpAreNotUndoneForIt) {
  for (const bool dies : {false, true}) {
    Single s;
    s.up_to(State::kActive);
    s.machine.steps = {{Section::kPrepare, 5}, {Section::kStarting, 5}, {Section::kOnline, 5}};
    s.down_to(State::kUndoOnline);
    if (dies) {
      EXPECT_EQ(s.expire(), Outcome::kGaveUp);
      s.ap(State::kParked);
      EXPECT_EQ(s.look(), Outcome::kNothing);
      EXPECT_EQ(s.machine.undone.size(), 2U + 3U + 2U) << "what it had run, and no more";
      EXPECT_EQ(s.machine.undone.front(), (Undone{1, 1, Section::kOnline, 1}));
    } else {
      s.up_to(State::kDead);
      EXPECT_EQ(s.look(), Outcome::kDown);
      EXPECT_EQ(s.machine.undone, kPrepareUndone);
    }
    s.machine.undone.clear();
    s.give_up_in(State::kActivating);
    s.ap(State::kParked);
    EXPECT_EQ(s.look(), Outcome::kNothing);
    EXPECT_EQ(s.machine.undone.size(), 5U + 5U + 1U) << "of its next attempt they are steps like any other";
  }
}

} // namespace
