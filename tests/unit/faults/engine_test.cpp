// The fault engine: what strikes where, how often, and when a fault is seen through.
#include "tests/unit/faults/engines.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

using abi::Place;
using abi::State;
using abi::Word;

TEST(FaultEngine, ArmsWhatTheScenarioNamesAndNothingElse) {
  const FaultEngine engine = engine_of(
      {fault_at(Place::kStarted, Action::kStall, 0, {1, 2}), fault_at(Place::kKick, Action::kDelay, 5, {2})});
  EXPECT_EQ(engine.armed(0), bit(Place::kZero));
  EXPECT_EQ(engine.armed(1), bit(Place::kStarted));
  EXPECT_EQ(engine.armed(2), bit(Place::kStarted) | bit(Place::kKick));
  EXPECT_EQ(engine.armed(3), 0u);
  EXPECT_EQ(engine_of({}).armed(0), bit(Place::kZero));
  EXPECT_EQ(engine_of({}).armed(1), 0u);
}

TEST(FaultEngine, StrikesInFileOrderAtTheRightPlaceAndAttempt) {
  FaultSpec second = fault_at(Place::kAlive, Action::kStall, 7);
  second.attempt = 2;
  FaultSpec every = fault_at(Place::kAlive, Action::kDelay, 9);
  every.attempt = 0;
  const FaultEngine engine = engine_of({fault_at(Place::kAlive, Action::kDelay, 5), second, every});
  const auto first = engine.at(1, Place::kAlive, {1, 1});
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].fault, 0u);
  EXPECT_EQ(first[0].spec->duration_ms, 5);
  EXPECT_EQ(first[1].fault, 2u);
  const auto next = engine.at(1, Place::kAlive, {2, 1});
  ASSERT_EQ(next.size(), 2u);
  EXPECT_EQ(next[0].fault, 1u);
  EXPECT_TRUE(engine.at(1, Place::kAliveReleased, {1, 1}).empty());
  EXPECT_TRUE(engine.at(2, Place::kAlive, {1, 1}).empty());
}

TEST(FaultEngine, StrikesInTheCycleThatItNames) {
  FaultSpec third = fault_at(Place::kDying, Action::kStall, 0);
  third.cycle = 3;
  FaultSpec every = fault_at(Place::kDying, Action::kDelay, 9);
  every.cycle = 0;
  const FaultEngine engine = engine_of({fault_at(Place::kDying, Action::kDelay, 5), third, every});
  const auto faults = [&](std::uint32_t cycle) {
    std::vector<std::size_t> which;
    for (const Strike &strike : engine.at(1, Place::kDying, {1, cycle}))
      which.push_back(strike.fault);
    return which;
  };
  EXPECT_EQ(faults(1), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(faults(2), (std::vector<std::size_t>{2}));
  EXPECT_EQ(faults(3), (std::vector<std::size_t>{1, 2}));
  EXPECT_TRUE(engine.at(1, Place::kDying, {2, 2}).empty()); // of another attempt
}

TEST(FaultEngine, AFailingStepCarriesItsErrorAndIsSeenThroughAtOnce) {
  FaultSpec spec = fault_at(abi::step_place(5, false), Action::kFail, 0);
  spec.error = -12;
  FaultEngine engine = engine_of({spec});
  EXPECT_EQ(engine.armed(1), bit(abi::step_place(5, false)));
  const auto strikes = engine.at(1, abi::step_place(5, false), {1, 1});
  ASSERT_EQ(strikes.size(), 1u);
  EXPECT_EQ(strikes[0].spec->error, -12);
  EXPECT_TRUE(engine.at(1, abi::step_place(5, true), {1, 1}).empty());
  const auto firing = engine.begin(strikes[0], 1, word(1), 3);
  engine.end(*firing, HoldEnd::kStepFailed, 3);
  EXPECT_EQ(engine.holder(1), std::nullopt);
  EXPECT_EQ(engine.holding(), 0u);
  EXPECT_TRUE(engine.see_through(1, with({1, State::kStartFailed, 0}, false)));
  EXPECT_TRUE(engine.accounts()[0].seen_through);
}

TEST(FaultEngine, AFrozenCpuStaysFrozenWhileItsControlCpuIsHeld) {
  FaultEngine engine =
      engine_of({fault_at(Place::kStarted, Action::kFreeze, 0), fault_at(Place::kKick, Action::kDelay, 5)});
  static_cast<void>(engine.begin(engine.at(1, Place::kStarted, {1, 1}).at(0), 1, word(1), 0));
  const auto firing = engine.begin(engine.at(1, Place::kKick, {1, 1}).at(0), 0, word(1), 10);
  EXPECT_EQ(engine.holder(0), 1u);
  engine.end(*firing, HoldEnd::kReleased, 15);
  EXPECT_EQ(engine.holder(0), std::nullopt);
  EXPECT_EQ(engine.holder(1), 0u);
}

TEST(FaultEngine, FiresByItsProbabilityAndTheSeed) {
  FaultSpec spec = fault_at(Place::kStarted, Action::kDelay, 5);
  spec.cycle = 0;
  spec.count = 1000;
  spec.probability = 0.3;
  const auto pattern = [&](std::uint64_t seed) {
    Scenario scenario;
    scenario.machine.vcpus = 4;
    scenario.faults = {spec};
    scenario.seed = seed;
    FaultEngine engine(scenario, Roster(scenario));
    std::vector<bool> fired;
    for (std::uint32_t cycle = 1; cycle <= 1100; ++cycle) {
      const auto firing =
          engine.begin(engine.at(1, Place::kStarted, {1, cycle}).at(0), 1, word(cycle), cycle);
      fired.push_back(firing.has_value());
      if (firing)
        engine.end(*firing, HoldEnd::kReleased, cycle);
    }
    return fired;
  };
  const auto fired = pattern(7);
  EXPECT_EQ(fired, pattern(7));
  EXPECT_NE(fired, pattern(8));
  const auto count = std::count(fired.begin(), fired.end(), true);
  EXPECT_GT(count, 200);
  EXPECT_LT(count, 400);
  EXPECT_EQ(std::count(fired.begin() + 1000, fired.end(), true), 0); // each chance counts
}

TEST(FaultEngine, WhatIsDoneAtOnceIsSeenThrough) {
  FaultEngine engine = engine_of({fault_at(Place::kStarted, Action::kNmi, 0)});
  const auto firing = engine.begin(engine.at(1, Place::kStarted, {1, 1}).at(0), 1, word(1), 0);
  engine.end(*firing, HoldEnd::kDone, 0);
  EXPECT_EQ(engine.holder(1), std::nullopt);
  EXPECT_TRUE(engine.see_through(1, with({1, State::kStarted, 0}, false)));
}

TEST(FaultEngine, KnowsWhoseVcpuWasStruck) {
  FaultEngine engine = engine_of({fault_at(Place::kKick, Action::kDelay, 5, {3})});
  const auto firing = engine.begin(engine.at(3, Place::kKick, {1, 1}).at(0), 2, word(0), 0);
  EXPECT_EQ(engine.firings().at(0).cpu, 3u);
  EXPECT_EQ(engine.firings().at(0).vcpu, 2u);
  engine.end(*firing, HoldEnd::kReleased, 5);
  EXPECT_FALSE(engine.wants_rest(3)); // no word tells of CPU 2, and CPU 3 was not held
  EXPECT_TRUE(engine.see_through(3, with({1, State::kKicked, 0}, false)));
  EXPECT_EQ(engine.firings().at(0).aftermath, Aftermath::kWentOn);
}

TEST(FaultEngine, TimedStrikesComeInTheOrderOfTheirTimes) {
  const FaultEngine engine = engine_of({fault_in_time(20), fault_in_time(0, {2}), fault_in_time(5)});
  const auto timed = engine.timed();
  ASSERT_EQ(timed.size(), 3u);
  EXPECT_EQ(timed[0].strike.fault, 1u);
  EXPECT_EQ(timed[0].strike.cpu, 2u);
  EXPECT_EQ(timed[1].strike.fault, 2u);
  EXPECT_EQ(timed[2].strike.fault, 0u);
}

TEST(FaultEngine, FiresAsOftenAsItsCountOnEachCpu) {
  FaultSpec twice = fault_at(Place::kAlive, Action::kDelay, 5, {1, 2});
  twice.count = 2;
  FaultEngine engine = engine_of({twice});
  const Strike on1 = engine.at(1, Place::kAlive, {1, 1}).at(0);
  const Strike on2 = engine.at(2, Place::kAlive, {1, 1}).at(0);
  EXPECT_TRUE(engine.begin(on1, 1, word(1), 0));
  EXPECT_TRUE(engine.begin(on1, 1, word(1), 0));
  EXPECT_FALSE(engine.begin(on1, 1, word(1), 0));
  EXPECT_TRUE(engine.begin(on2, 2, word(1), 0));
  const auto accounts = engine.accounts();
  ASSERT_EQ(accounts.size(), 2u);
  EXPECT_EQ(accounts[0].fired, 2u);
  EXPECT_EQ(accounts[1].fired, 1u);
}

TEST(FaultEngine, KnowsWhoHoldsACpu) {
  FaultEngine engine = engine_of({fault_at(Place::kAlive, Action::kStall, 5)});
  EXPECT_EQ(engine.holder(1), std::nullopt);
  const auto firing = engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 10);
  ASSERT_TRUE(firing);
  EXPECT_EQ(engine.holder(1), 0u);
  EXPECT_EQ(engine.holding(), 1u);
  engine.end(*firing, HoldEnd::kReleased, 20);
  EXPECT_EQ(engine.holder(1), std::nullopt);
  EXPECT_EQ(engine.holding(), 0u);
  EXPECT_EQ(engine.firings().at(0).ended_us, 20);
}

TEST(FaultEngine, AnEndlessHoldIsSeenThroughOnceItsCpuIsDecided) {
  FaultEngine engine = engine_of({fault_at(Place::kAlive, Action::kStall, 0)});
  EXPECT_FALSE(engine.see_through(1, with({1, State::kClaimed, 0}, false))); // it can still fire
  EXPECT_TRUE(engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 0));
  EXPECT_FALSE(engine.see_through(1, with({1, State::kClaimed, 0}, false)));
  EXPECT_TRUE(engine.see_through(1, with({1, State::kAbandoned, 0}, true)));
  EXPECT_TRUE(engine.accounts()[0].seen_through);
}

TEST(FaultEngine, ABoundedHoldIsSeenThroughOnlyWhenItsCpuShowsWhatItMadeOfIt) {
  struct Case {
    Word word;
    bool through;
  };
  const Case cases[] = {
      {{1, State::kAbandoned, 0}, false}, {{1, State::kParked, 0}, true},  {{1, State::kDead, 0}, true},
      {{1, State::kActive, 0}, true},     {{2, State::kKicked, 0}, false}, {{2, State::kClaimed, 0}, true},
      {{2, State::kAbandoned, 0}, false}, {{2, State::kActive, 0}, true},
  };
  for (const Case &c : cases) {
    FaultEngine engine = engine_of({fault_at(Place::kAlive, Action::kStall, 5)});
    const auto firing = engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 0);
    EXPECT_FALSE(engine.see_through(1, with(c.word, true))); // not released yet
    engine.end(*firing, HoldEnd::kReleased, 5);
    EXPECT_EQ(engine.see_through(1, with(c.word, true)), c.through) << c.word.bits();
    EXPECT_EQ(engine.wants_rest(1), !c.through);
  }
}

TEST(FaultEngine, AReleasedCpuThatTookAnInitIsSeenThrough) {
  FaultEngine engine = engine_of({fault_at(Place::kAlive, Action::kFreeze, 5)});
  const auto firing = engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 0);
  engine.end(*firing, HoldEnd::kReleased, 5);
  FaultEngine::CpuState state = with({1, State::kAbandoned, 0}, true);
  EXPECT_FALSE(engine.see_through(1, state));
  engine.took_init(1);
  state.at_rest = true;
  EXPECT_TRUE(engine.see_through(1, state));
  EXPECT_EQ(engine.firings()[0].aftermath, Aftermath::kTookInit);
}

TEST(FaultEngine, AResetAndACrashAreSeenThroughAtOnce) {
  for (const HoldEnd end : {HoldEnd::kReset, HoldEnd::kCrashed}) {
    FaultEngine engine = engine_of({fault_at(Place::kAlive, Action::kStall, 0)});
    const auto firing = engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 0);
    engine.end(*firing, end, 5);
    EXPECT_TRUE(engine.see_through(1, with({1, State::kAbandoned, 0}, true)));
  }
}

TEST(FaultEngine, ACrashIsAwaitedThoughItsCpuIsDecided) {
  FaultEngine engine = engine_of({fault_at(Place::kActiveReleased, Action::kCrash, 0)});
  EXPECT_TRUE(engine.begin(engine.at(1, Place::kActiveReleased, {1, 1}).at(0), 1, word(1), 0));
  EXPECT_FALSE(engine.see_through(1, with({1, State::kActive, 1}, true, true)));
}

TEST(FaultEngine, ACrashIsNotAwaitedOfACpuThatStartsNoMore) {
  FaultSpec crash = fault_in_time(50);
  crash.action = Action::kCrash;
  FaultEngine engine = engine_of({crash});
  EXPECT_TRUE(engine.begin(engine.timed().at(0).strike, 1, word(0), 0));
  EXPECT_TRUE(engine.wants_rest(1));
  FaultEngine::CpuState state = with({0, State::kDown, 0}, true);
  EXPECT_FALSE(engine.see_through(1, state)); // it may be about to start
  state.at_rest = true;
  state.decided = false;
  EXPECT_FALSE(engine.see_through(1, state)); // it may be kicked again
  state.decided = true;
  EXPECT_TRUE(engine.see_through(1, state));
  EXPECT_EQ(engine.firings()[0].aftermath, Aftermath::kAtRest);
}

TEST(FaultEngine, AFaultBehindAnEndlessOneOnItsCpuIsNotAwaited) {
  FaultEngine engine = engine_of(
      {fault_at(Place::kAlive, Action::kDelay, 5), fault_at(Place::kAliveReleased, Action::kStall, 0)});
  const auto delay = engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 0);
  engine.end(*delay, HoldEnd::kReleased, 5);
  EXPECT_TRUE(engine.begin(engine.at(1, Place::kAliveReleased, {1, 1}).at(0), 1, word(1), 6));
  EXPECT_TRUE(engine.see_through(1, with({1, State::kAbandoned, 0}, true)));
}

TEST(FaultEngine, ACpuThatCrashedAfterItsReleaseIsNotAwaited) {
  FaultEngine engine = engine_of(
      {fault_at(Place::kAlive, Action::kDelay, 5), fault_at(Place::kAliveReleased, Action::kCrash, 0)});
  engine.end(*engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 0), HoldEnd::kReleased, 5);
  const auto crash = engine.begin(engine.at(1, Place::kAliveReleased, {1, 1}).at(0), 1, word(1), 6);
  EXPECT_FALSE(engine.see_through(1, with({1, State::kStarting, 0}, false)));
  engine.end(*crash, HoldEnd::kCrashed, 6);
  EXPECT_TRUE(engine.see_through(1, with({1, State::kAbandoned, 0}, true)));
  EXPECT_EQ(engine.firings()[0].aftermath, Aftermath::kHeldOn);
}

TEST(FaultEngine, ACpuThatWaitsForAControlCpuWhichHasStoppedIsAtRest) {
  FaultEngine engine = engine_of({fault_at(Place::kAlive, Action::kDelay, 5)});
  engine.end(*engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 0), HoldEnd::kReleased, 5);
  EXPECT_FALSE(engine.see_through(1, with({1, State::kAlive, 0}, false)));
  EXPECT_FALSE(engine.see_through(1, with({1, State::kClaimed, 0}, true))); // it has yet to come there
  EXPECT_TRUE(engine.see_through(1, with({1, State::kAlive, 0}, true)));
  EXPECT_EQ(engine.firings()[0].aftermath, Aftermath::kAtRest);
}

TEST(FaultEngine, WhatIsStillDueAtActiveReleasedOrByTimeIsAwaited) {
  FaultEngine active = engine_of({fault_at(Place::kActiveReleased, Action::kStall, 0)});
  EXPECT_FALSE(active.see_through(1, with({1, State::kActive, 1}, true, true)));
  EXPECT_TRUE(active.see_through(1, with({1, State::kAbandoned, 1}, true, false))); // it will never get there
  EXPECT_TRUE(
      active.see_through(1, with({2, State::kActive, 1}, true, true, {2, 1}))); // meant another attempt
  FaultEngine timed = engine_of({fault_in_time(50)});
  EXPECT_FALSE(timed.see_through(1, with({1, State::kActive, 1}, true, true)));
}

TEST(FaultEngine, ATimeThatComesToACpuHeldForEverIsNotAwaited) {
  FaultEngine engine = engine_of({fault_at(Place::kAlive, Action::kFreeze, 0), fault_in_time(50)});
  EXPECT_TRUE(engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 0));
  EXPECT_FALSE(engine.see_through(1, with({1, State::kClaimed, 0}, false))); // an INIT may take it out of it
  EXPECT_TRUE(engine.see_through(1, with({1, State::kAbandoned, 0}, true)));
  EXPECT_EQ(engine.accounts()[1].fired, 0u);
}

TEST(FaultEngine, InTheLastCycleItIsStillDueAtActiveReleasedOnce) {
  FaultSpec every = fault_at(Place::kActiveReleased, Action::kDelay, 5);
  every.cycle = 0;
  every.count = 3;
  FaultEngine engine = engine_of({every});
  const auto strike = [&](std::uint32_t attempt, std::uint32_t cycle) {
    const auto firing =
        engine.begin(engine.at(1, Place::kActiveReleased, {1, cycle}).at(0), 1, word(attempt), 0);
    engine.end(*firing, HoldEnd::kReleased, 5);
  };
  strike(1, 1);
  EXPECT_FALSE(engine.see_through(1, with({1, State::kActive, 0}, false, true))); // cycles are to come
  EXPECT_FALSE(engine.see_through(1, with({2, State::kActive, 0}, true, true, {1, 2})));
  strike(2, 2);
  EXPECT_TRUE(engine.see_through(1, with({2, State::kActive, 0}, true, true, {1, 2})));
  EXPECT_EQ(engine.accounts()[0].fired, 2u);
  FaultEngine other = engine_of({fault_at(Place::kActiveReleased, Action::kDelay, 5)});
  EXPECT_TRUE(other.see_through(1, with({2, State::kActive, 0}, true, true, {1, 2}))); // meant cycle 1
}

TEST(FaultEngine, WhatWasDecidedOnAnAttemptTellsOfItsFirings) {
  for (const Aftermath decision : {Aftermath::kActive, Aftermath::kDead}) {
    FaultEngine engine = engine_of({fault_at(Place::kAlive, Action::kDelay, 5)});
    const auto firing = engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 0);
    engine.tell(1, 1, Aftermath::kParked); // it is still held: that says nothing of its release
    engine.end(*firing, HoldEnd::kReleased, 5);
    engine.tell(1, 2, Aftermath::kParked); // another attempt
    engine.tell(2, 1, Aftermath::kParked); // another CPU
    engine.tell(1, 1, decision);
    // The word has moved on to the next cycle when it is looked at.
    EXPECT_TRUE(engine.see_through(1, with({2, State::kClaimed, 0}, false)));
    EXPECT_EQ(engine.firings()[0].aftermath, decision);
  }
}

TEST(FaultEngine, ACrashHoldsItsCpuUntilSomethingElseDoes) {
  FaultSpec crash = fault_at(Place::kAlive, Action::kCrash, 0);
  FaultSpec later = fault_at(Place::kIdle, Action::kDelay, 5);
  later.attempt = 2;
  FaultEngine engine = engine_of({crash, later});
  engine.end(*engine.begin(engine.at(1, Place::kAlive, {1, 1}).at(0), 1, word(1), 0), HoldEnd::kCrashed, 1);
  EXPECT_EQ(engine.holder(1), 0u);
  EXPECT_EQ(engine.holding(), 0u);
  const auto firing = engine.begin(engine.at(1, Place::kIdle, {2, 1}).at(0), 1, word(2), 5);
  EXPECT_EQ(engine.holder(1), 1u);
  engine.end(*firing, HoldEnd::kReleased, 10);
  EXPECT_EQ(engine.holder(1), std::nullopt);
}

TEST(FaultEngine, AFaultThatCannotFireAnyMoreIsSeenThroughAndNotFired) {
  FaultEngine engine = engine_of({fault_at(Place::kStarted, Action::kStall, 0)});
  EXPECT_TRUE(engine.see_through(1, with({1, State::kAbandoned, 0}, true)));
  EXPECT_EQ(engine.accounts()[0].fired, 0u);
}

/// In attempt 1 its word was flipped when it was up; in attempt 2 nothing more can be done there.
TEST(FaultEngine, ACpuWhoseWordTheHostHasWrittenComesNowhereAnyMore) {
  FaultSpec twice = fault_at(Place::kActiveReleased, Action::kFlip, 0);
  twice.attempt = 0;
  twice.count = 2;
  FaultEngine engine = engine_of({twice});
  const Word active{2, State::kActive, 0};
  const Word flipped{5, State::kActive, 0};
  EXPECT_FALSE(engine.see_through(1, with(active, true, true))) << "it is on its way there";
  const auto firing = engine.begin(engine.at(1, Place::kActiveReleased, {1, 1})[0], 1, active.bits(), 10);
  ASSERT_TRUE(firing);
  EXPECT_FALSE(engine.has_written(1));
  engine.note_write(*firing, {active.bits(), flipped.bits()});
  engine.end(*firing, HoldEnd::kDone, 11);
  EXPECT_TRUE(engine.has_written(1));
  EXPECT_FALSE(engine.has_written(2));
  EXPECT_EQ(engine.firings()[0].wrote->after, flipped.bits());
  EXPECT_TRUE(engine.see_through(1, with(flipped, true, true)));
  EXPECT_FALSE(engine.see_through(1, with({6, State::kActive, 0}, true, true)))
      << "a later attempt comes there";
}

} // namespace
} // namespace reveille::vmm
