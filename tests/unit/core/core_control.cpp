// One control object and an AP that is moved by hand: arrivals, hints, timeouts, corruption.
#include "scripted_machine.hpp"

namespace {

using namespace reveille::unit;
using reveille::abi::FailReason;
using reveille::protocol::is_ap_owned;

constexpr State kApsTurn[] = {State::kKicked,   State::kClaimed, State::kStarting,  State::kSyncing,
                              State::kOnlining, State::kIdling,  State::kActivating};

FailReason reason(const Single &s) {
  return reveille::abi::failure_of(s.machine.last(EventKind::kFailed).b).reason;
}

TEST(Control, BringsACpuUpThroughAllPoints) {
  Single s;
  s.up_to(State::kActive);
  EXPECT_EQ(s.look(), Outcome::kActive);
  EXPECT_EQ(s.seen(), (Word{1, State::kActive, 0}));
  EXPECT_EQ(s.control.attempts_made(), 1U);
  EXPECT_EQ(s.control.quarantined(), 0U);
  EXPECT_TRUE(s.machine.undone.empty());
  // A wake for each of the five releases.
  EXPECT_EQ(s.machine.woken, std::vector<unsigned>(5, Single::kCpu));
}

TEST(Control, PreparesThenPublishesThenSwapsThenKicks) {
  Single s;
  std::vector<unsigned> started;
  s.machine.start = [&](Section section, unsigned step, unsigned, std::uint32_t attempt) {
    EXPECT_EQ(section, Section::kPrepare);
    EXPECT_EQ(attempt, 1U);
    EXPECT_EQ(s.seen().state, State::kDown) << "nobody can reach it yet";
    EXPECT_EQ(s.machine.ordinal(Single::kCpu), 1U) << "but the host knows which attempt it is";
    started.push_back(step);
    return 0;
  };
  s.machine.before_kick = [&](unsigned cpu) {
    EXPECT_EQ(cpu, Single::kCpu);
    EXPECT_EQ(s.seen().state, State::kDown);
    EXPECT_EQ(s.machine.token_of_page(Single::kCpu, 1), 1U);
  };
  EXPECT_EQ(s.kick(), Outcome::kTurn);
  EXPECT_EQ(started, (std::vector<unsigned>{0, 1}));
  EXPECT_EQ(s.machine.kicks, (std::vector<std::pair<unsigned, std::uint32_t>>{{1, 1}}));
  EXPECT_EQ(s.machine.ordinal(Single::kCpu), 1U);
}

TEST(Control, TakesAHintForNoMoreThanAHint) {
  for (const State state : kApsTurn) {
    Single s;
    s.up_to(state);
    const auto records = s.machine.records.size();
    const Word before = s.seen();
    EXPECT_EQ(s.look(), Outcome::kNothing) << reveille::protocol::name(state);
    EXPECT_EQ(s.seen(), before);
    EXPECT_EQ(s.machine.records.size(), records);
  }
}

TEST(Control, TakesAHintAtTheGateForNoMoreThanAHint) {
  Single s;
  s.up_to(State::kAlive);
  EXPECT_EQ(s.look(), Outcome::kAtGate);
  EXPECT_EQ(s.look(), Outcome::kAtGate);
  EXPECT_EQ(s.seen().state, State::kAlive) << "only pass() lets it go on";
  EXPECT_EQ(s.pass(), Outcome::kTurn);
  EXPECT_EQ(s.seen().state, State::kStarting);
}

TEST(Control, TakesAHintBeforeAndAfterForNothing) {
  Single s;
  EXPECT_EQ(s.look(), Outcome::kNothing);
  s.up_to(State::kActive);
  EXPECT_EQ(s.look(), Outcome::kActive);
  EXPECT_EQ(s.look(), Outcome::kNothing) << "decided once";
  EXPECT_EQ(s.machine.logged(EventKind::kOnline).size(), 1U);
}

TEST(Control, GivesUpWhoeverIsAtTurn) {
  for (const State state : kApsTurn) {
    Single s;
    s.up_to(state);
    EXPECT_EQ(s.expire(), Outcome::kGaveUp) << reveille::protocol::name(state);
    EXPECT_EQ(s.seen(), (Word{1, State::kAbandoned, 0}));
    EXPECT_EQ(Word::from(s.machine.last(EventKind::kTimeout).a), (Word{1, state, 0}));
    EXPECT_EQ(s.machine.stops, (std::vector<std::pair<unsigned, std::uint32_t>>{{1, 1}}));
    EXPECT_TRUE(s.control.can_retry());
    s.control.failed(s.machine);
    EXPECT_EQ(reason(s), FailReason::kTimeout);
    EXPECT_EQ(Word::from(s.machine.last(EventKind::kFailed).a).state, state);
  }
}

TEST(Control, DoesNotStopWhatItGivesUpIfNotAsked) {
  Single s;
  s.settings.stop = reveille::abi::Stop::kNone;
  s.give_up_in(State::kStarting);
  EXPECT_TRUE(s.machine.stops.empty());
}

TEST(Control, KeepsTheStepAsEvidence) {
  Single s;
  s.up_to(State::kStarting);
  s.ap(State::kStarting, 1);
  s.ap(State::kStarting, 2);
  EXPECT_EQ(s.expire(), Outcome::kGaveUp);
  EXPECT_EQ(s.seen(), (Word{1, State::kAbandoned, 2}));
}

TEST(Control, FindsAnArrivalHoweverLateItLooks) {
  Single s;
  s.up_to(State::kAlive);
  EXPECT_EQ(s.expire(), Outcome::kAtGate);
  EXPECT_EQ(s.pass(), Outcome::kTurn);
  for (const State state : {State::kStarted, State::kSynced, State::kOnline}) {
    s.up_to(state);
    EXPECT_EQ(s.expire(), Outcome::kTurn) << reveille::protocol::name(state);
    EXPECT_TRUE(is_ap_owned(s.seen().state));
    EXPECT_NE(s.seen().state, State::kAbandoned);
  }
  s.up_to(State::kIdle);
  EXPECT_EQ(s.expire(), Outcome::kAtGate);
  EXPECT_EQ(s.pass(), Outcome::kTurn);
  s.up_to(State::kActive);
  EXPECT_EQ(s.expire(), Outcome::kActive);
  EXPECT_FALSE(s.machine.was_logged(EventKind::kTimeout));
}

TEST(Control, MeetsAnApForTheTscOnlyIfItHasEntered) {
  Single s;
  s.up_to(State::kSyncing);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  EXPECT_FALSE(s.machine.was_logged(EventKind::kTscServed));
  using Mark = reveille::core::TscMark;
  s.machine.tsc_ap(Single::kCpu).mark = Mark::make(7, Mark::What::kEntered);
  EXPECT_EQ(s.look(), Outcome::kNothing);
  EXPECT_FALSE(s.machine.was_logged(EventKind::kTscServed)) << "that was another attempt";
  s.machine.tsc_ap(Single::kCpu).mark = Mark::make(1, Mark::What::kEntered);
  const std::uint64_t began = s.machine.time;
  EXPECT_EQ(s.look(), Outcome::kNothing) << "the word moves only at its end, by the AP";
  EXPECT_EQ(s.machine.logged(EventKind::kTscServed).size(), 1U);
  EXPECT_EQ(s.machine.last(EventKind::kTscServed).b, 0U) << "nobody answered: the skew is unknown";
  EXPECT_LE(s.machine.time - began, s.settings.tsc_look) << "and the CP stays no longer than it may";
  EXPECT_EQ(s.machine.tsc_cp(Single::kCpu).mark, Mark::make(1, Mark::What::kClosed));
  EXPECT_FALSE(s.control.has_news(s.machine));
  static_cast<void>(s.look());
  EXPECT_EQ(s.machine.logged(EventKind::kTscServed).size(), 1U)
      << "it is over, though the AP has not seen it";
}

TEST(Control, LooksForEachMarkAsLongAsItMay) {
  using Mark = reveille::core::TscMark;
  for (const unsigned answered : {2U, 4U}) { // of four
    Single s;
    s.settings.tsc_look = 10;
    s.up_to(State::kSyncing);
    auto &ap = s.machine.tsc_ap(Single::kCpu);
    auto &cp = s.machine.tsc_cp(Single::kCpu);
    ap.mark = Mark::make(1, Mark::What::kEntered);
    unsigned round = 1;
    std::uint64_t pinged = s.machine.time;
    s.machine.while_looking = [&] { // each answer is late, but not too late
      if (cp.mark != Mark::make(1, Mark::What::kRound, round) || s.machine.time < pinged + 8 ||
          round > answered)
        return;
      ap.tsc = s.machine.time + 100;
      ap.mark = Mark::make(1, Mark::What::kRound, round++);
      pinged = s.machine.time;
    };
    const std::uint64_t began = s.machine.time;
    EXPECT_EQ(s.look(), Outcome::kNothing);
    EXPECT_EQ(s.machine.time - began, answered * 8 + (answered < 4 ? 10 : 0));
    EXPECT_EQ(s.machine.last(EventKind::kTscServed).b, 8U / 2 + 1) << "half of the shortest round";
    EXPECT_EQ(s.machine.last(EventKind::kTscServed).a, 100U + 8 / 2) << "it is that far ahead";
    EXPECT_EQ(cp.mark, Mark::make(1, Mark::What::kClosed));
  }
}

TEST(Control, TouchesACorruptWordNoMore) {
  const Word words[] = {{9, State::kAlive, 0},     {0, State::kAlive, 0},  {1, State::kDown, 0},
                        {1, State::kAbandoned, 0}, {1, State::kParked, 0}, {2, State::kKicked, 0}};
  for (const bool late : {false, true})
    for (const Word &word : words) {
      Single s;
      s.up_to(State::kStarting);
      s.machine.word(Single::kCpu) = word.bits();
      EXPECT_EQ(late ? s.expire() : s.look(), Outcome::kGaveUp);
      EXPECT_EQ(s.seen(), word);
      EXPECT_FALSE(s.control.can_retry());
      EXPECT_TRUE(s.machine.undone.empty()) << "nothing is proven";
      EXPECT_EQ(s.machine.last(EventKind::kCorrupt).a, word.bits());
      s.control.failed(s.machine);
      EXPECT_EQ(reason(s), FailReason::kCorrupt);
      EXPECT_EQ(s.look(), Outcome::kNothing);
    }
}

TEST(Control, TouchesAWordOfNoStateNoMore) {
  for (const bool late : {false, true})
    for (const std::uint64_t stray : {0xffff0000ULL, 0x01000000ULL}) {
      Single s;
      s.up_to(State::kStarting);
      const std::uint64_t bits = s.seen().bits() | stray;
      s.machine.word(Single::kCpu) = bits;
      EXPECT_EQ(late ? s.expire() : s.look(), Outcome::kGaveUp);
      EXPECT_EQ(s.machine.word(Single::kCpu), bits);
      EXPECT_FALSE(s.control.can_retry());
    }
}

TEST(Control, DoesNotKickACorruptWord) {
  for (const Word &word : {Word{0, State::kActive, 0}, Word{5, State::kParked, 0}, Word{0, State::kKicked, 0},
                           Word{1, State::kDown, 0}}) {
    Single s;
    s.machine.word(Single::kCpu) = word.bits();
    EXPECT_EQ(s.kick(), Outcome::kGaveUp);
    EXPECT_TRUE(s.machine.kicks.empty());
    EXPECT_EQ(s.seen(), word);
    EXPECT_FALSE(s.control.can_retry());
  }
}

TEST(Control, NoticesAWordThatChangesAtTheGate) {
  Single s;
  s.up_to(State::kAlive);
  EXPECT_EQ(s.look(), Outcome::kAtGate);
  s.machine.word(Single::kCpu) = Word{1, State::kStarting, 0}.bits();
  EXPECT_EQ(s.pass(), Outcome::kGaveUp);
  EXPECT_TRUE(s.machine.was_logged(EventKind::kCorrupt));
}

} // namespace
