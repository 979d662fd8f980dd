// Whole runs with faults: every action at every place, and what becomes of the CPU.
#include "tests/unit/sim/runs.hpp"

#include "core/protocol/guest_steps.hpp"
#include "vmm/scenario/places.hpp"

#include <fmt/format.h>

namespace reveille::vmm::sim {
namespace {

using abi::Strategy;

FaultSpec fault(const std::string &at, Action action, double duration_ms = 0,
                std::vector<CpuIndex> cpus = {3}) {
  FaultSpec spec;
  spec.cpus = std::move(cpus);
  const auto place = parse_place(at);
  if (!place)
    throw std::invalid_argument(at);
  spec.at = place->place;
  spec.action = action;
  spec.duration_ms = duration_ms;
  return spec;
}

/// Eight CPUs, one of which is struck, and what it must come to.
Scenario struck(FaultSpec spec, const std::string &expected = "online") {
  Scenario s = scenario_of(8);
  const CpuIndex cpu = spec.cpus.front();
  s.faults.push_back(std::move(spec));
  if (expected != "online") {
    s.expect.failed[cpu] = expected;
    std::erase(s.expect.online, cpu);
  }
  return s;
}

void expect_as_expected(const Scenario &s) {
  const Ran ran = run(s);
  expect_sound(ran);
  EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected);
  for (const std::string &difference : ran.verdict.differences)
    ADD_FAILURE() << difference;
}

/// The points and what an AP owes just before and just behind each.
struct Place {
  std::string at;
  std::string owed;
};
std::vector<Place> places_of_an_ap() {
  std::vector<Place> places;
  for (std::size_t i = 0; i < protocol::kPointCount; ++i) {
    const std::string name(protocol::kPoints[i].name);
    places.push_back({name, name});
    if (i + 1 < protocol::kPointCount)
      places.push_back({name + ".released", std::string(protocol::kPoints[i + 1].name)});
  }
  for (const protocol::StepSpec &step : protocol::kGuestSteps) {
    if (step.section == protocol::Section::kPrepare)
      continue;
    const std::string owed = step.section == protocol::Section::kStarting ? "started" : "active";
    places.push_back({fmt::format("step:{}", step.name), owed});
    places.push_back({fmt::format("step:{}.done", step.name), owed});
  }
  return places;
}

TEST(Faults, ADelayIsWaitedForEverywhere) {
  for (const Place &place : places_of_an_ap()) {
    SCOPED_TRACE(place.at);
    expect_as_expected(struck(fault(place.at, Action::kDelay, 20)));
  }
}

TEST(Faults, AStallOrFreezeOrCrashEndsTheAttemptEverywhere) {
  for (const Place &place : places_of_an_ap()) {
    SCOPED_TRACE(place.at);
    expect_as_expected(struck(fault(place.at, Action::kStall), "timeout@" + place.owed));
    expect_as_expected(struck(fault(place.at, Action::kFreeze), "timeout@" + place.owed));
    expect_as_expected(struck(fault(place.at, Action::kCrash), "crash@" + place.owed));
  }
}

TEST(Faults, WithoutAnInitAStalledCpuParksWhenItIsReleased) {
  for (const Place &place : places_of_an_ap()) {
    SCOPED_TRACE(place.at);
    for (const Action action : {Action::kStall, Action::kFreeze}) {
      Scenario s = struck(fault(place.at, action, 400), "timeout@" + place.owed);
      s.bringup.stop = abi::Stop::kNone;
      const Ran ran = run(s);
      expect_sound(ran);
      EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected);
      ASSERT_EQ(ran.seen.firings.size(), 1u);
      EXPECT_EQ(ran.seen.firings[0].end, HoldEnd::kReleased);
      // One that was never claimed has halted at its claim.
      EXPECT_EQ(ran.seen.firings[0].aftermath, Aftermath::kParked);
      EXPECT_EQ(ran.verdict.cpus[3].quarantined, 0u);
      EXPECT_EQ(ran.cost.areas_in_use, 6u); // those of the CPUs that are up
    }
  }
}

TEST(Faults, AnInitTakesAStalledCpuAndWaitsForAFrozenOne) {
  Scenario stall = struck(fault("started", Action::kStall, 400), "timeout@started");
  const Ran stalled = run(stall);
  ASSERT_EQ(stalled.seen.firings.size(), 1u);
  EXPECT_EQ(stalled.seen.firings[0].end, HoldEnd::kReset);
  EXPECT_NEAR(stalled.seen.firings[0].ended_us - stalled.seen.firings[0].began_us, 100'000, 5'000);
  stall.faults[0].action = Action::kFreeze;
  const Ran frozen = run(stall);
  ASSERT_EQ(frozen.seen.firings.size(), 1u);
  EXPECT_EQ(frozen.seen.firings[0].end, HoldEnd::kReleased);
  EXPECT_EQ(frozen.seen.firings[0].aftermath, Aftermath::kTookInit);
  EXPECT_NEAR(frozen.seen.firings[0].ended_us - frozen.seen.firings[0].began_us, 400'000, 1);
  EXPECT_EQ(frozen.verdict.exit, ExitStatus::kAsExpected);
}

TEST(Faults, ASecondAttemptSucceeds) {
  for (const Place &place : places_of_an_ap())
    for (const Action action : {Action::kStall, Action::kCrash}) {
      SCOPED_TRACE(place.at);
      Scenario s = struck(fault(place.at, action));
      s.bringup.attempts = 2;
      s.expect.attempts[3] = 2;
      expect_as_expected(s);
    }
}

TEST(Faults, AFrozenCpuThawsInItsSecondAttempt) {
  for (const Place &place : places_of_an_ap()) {
    SCOPED_TRACE(place.at);
    Scenario s = struck(fault(place.at, Action::kFreeze, 150));
    s.bringup.attempts = 2;
    s.expect.attempts[3] = 2;
    const Ran ran = run(s);
    expect_sound(ran);
    EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected);
    ASSERT_EQ(ran.seen.firings.size(), 1u);
    EXPECT_EQ(ran.seen.firings[0].end, HoldEnd::kReleased);
  }
}

TEST(Faults, AFailedStepIsRolledBack) {
  for (const protocol::StepSpec &step : protocol::kGuestSteps)
    for (const char *suffix : {"", ".done"}) {
      SCOPED_TRACE(std::string(step.name) + suffix);
      FaultSpec spec = fault(fmt::format("step:{}{}", step.name, suffix), Action::kDelay, 1);
      spec.action = Action::kFail;
      spec.duration_ms = 0;
      Scenario s = struck(spec, fmt::format("error@step:{}", step.name));
      const Ran ran = run(s);
      expect_sound(ran);
      EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected);
      EXPECT_EQ(ran.outcome(3), fmt::format("error@step:{}", step.name));
      EXPECT_EQ(ran.cost.areas_in_use, 6u); // nothing is left of it
    }
}

TEST(Faults, AtTheKickTheControlCpuIsHeld) {
  for (const Action action : {Action::kDelay, Action::kStall}) {
    Scenario s = struck(fault("kick", action, 500));
    s.bringup.timeout_ms = 100; // nobody is failed for waiting
    expect_as_expected(s);
  }
}

TEST(Faults, ATimeStrikesACpuWhereverItIs) {
  // Waiting for its SIPI, on its way, at a point, up and idle.
  for (const double ms : {0.0, 0.5, 1.6, 2.5, 4.0, 50.0}) {
    const std::string at = fmt::format("time:{}", ms);
    SCOPED_TRACE(at);
    expect_as_expected(struck(fault(at, Action::kDelay, 20)));
    const Ran stalled = run(struck(fault(at, Action::kStall)));
    expect_sound(stalled);
    EXPECT_EQ(stalled.seen.faults[0].fired, 1u);
    EXPECT_TRUE(stalled.seen.faults[0].seen_through);
    const Ran crashed = run(struck(fault(at, Action::kCrash)));
    expect_sound(crashed);
    EXPECT_TRUE(crashed.outcome(3).starts_with("crash@")) << crashed.outcome(3);
    const Ran frozen = run(struck(fault(at, Action::kFreeze)));
    expect_sound(frozen);
    EXPECT_EQ(frozen.seen.faults[0].fired, 1u);
  }
}

TEST(Faults, TheControlCpuMayBeLateOrDie) {
  expect_as_expected(struck(fault("time:1", Action::kDelay, 500, {0})));
  const Ran died = run(struck(fault("time:1", Action::kCrash, 0, {0}), "crash@active"));
  EXPECT_EQ(died.seen.end, RunEnd::kControlDied);
  EXPECT_EQ(died.outcome(0), "crash@active");
  EXPECT_EQ(died.outcome(7), "lost@alive");
  const Ran stalled = run(struck(fault("time:1", Action::kStall, 0, {0})));
  EXPECT_EQ(stalled.seen.end, RunEnd::kBound);
  EXPECT_EQ(stalled.seen.total_us, stalled.seen.bound_ms * 1000);
}

TEST(Faults, SeveralAtOnePlaceAddUp) {
  Scenario s = struck(fault("alive", Action::kDelay, 30));
  s.faults.push_back(fault("alive", Action::kDelay, 40));
  const Ran ran = run(s);
  EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected);
  const PointTimes &times = ran.verdict.cpus[3].points;
  EXPECT_NEAR(*times.arrived[0] - *times.kick, 70'000, 1'000);
}

TEST(Faults, AllCpusMayFail) {
  for (const Strategy strategy :
       {Strategy::kSerial, Strategy::kSplit, Strategy::kParallel, Strategy::kTree}) {
    SCOPED_TRACE(static_cast<int>(strategy));
    Scenario s = scenario_of(8, strategy);
    s.faults.push_back(fault("started", Action::kStall, 0, {1, 2, 3, 4, 5, 6, 7}));
    s.expect.online = {0};
    for (CpuIndex cpu = 1; cpu < 8; ++cpu)
      s.expect.failed[cpu] = "timeout@started";
    expect_as_expected(s);
  }
}

TEST(Faults, AreTheSameInEveryStrategy) {
  for (const Strategy strategy : {Strategy::kSerial, Strategy::kSplit, Strategy::kTree})
    for (const Place &place : places_of_an_ap()) {
      SCOPED_TRACE(place.at);
      Scenario s = struck(fault(place.at, Action::kStall), "timeout@" + place.owed);
      s.bringup.strategy = strategy;
      expect_as_expected(s);
    }
}

TEST(Faults, OnTheWayDown) {
  for (const char *at : {"dying", "dead"}) {
    SCOPED_TRACE(at);
    Scenario s = struck(fault(at, Action::kStall), std::string("timeout@") + at);
    s.bringup.cycles = 3;
    expect_as_expected(s);
    s = struck(fault(at, Action::kCrash), std::string("crash@") + at);
    s.bringup.cycles = 3;
    expect_as_expected(s);
    s = struck(fault(at, Action::kDelay, 20));
    s.bringup.cycles = 3;
    expect_as_expected(s);
  }
}

TEST(Faults, ThatCanComeToNothingAreNotWaitedFor) {
  // A CPU that has shut down is held, and let go; another one is never started, and cannot crash.
  Scenario shut_down = struck(fault("alive", Action::kCrash), "crash@alive");
  shut_down.faults.push_back(fault("time:300", Action::kFreeze, 50));
  shut_down.bringup.stop = abi::Stop::kNone;
  EXPECT_EQ(run(shut_down).seen.end, RunEnd::kComplete);
  Scenario unstarted = struck(fault("step:area", Action::kFail), "error@step:area");
  unstarted.faults.push_back(fault("time:300", Action::kCrash));
  const Ran ran = run(unstarted);
  EXPECT_EQ(ran.seen.end, RunEnd::kComplete);
  EXPECT_EQ(ran.outcome(3), "error@step:area");
  EXPECT_EQ(ran.verdict.differences.size(), 1u);
}

TEST(Faults, OneThatNeverFiresIsADifference) {
  FaultSpec spec = fault("alive", Action::kDelay, 10);
  spec.attempt = 2;
  Scenario s = struck(spec);
  s.bringup.attempts = 2;
  const Ran ran = run(s);
  EXPECT_EQ(ran.verdict.exit, ExitStatus::kDiffers);
  EXPECT_EQ(ran.seen.faults[0].fired, 0u);
}

TEST(SimFaults, AWordThatNobodyKnowsIsLostAtEveryPoint) {
  for (const Action action : {Action::kFlip, Action::kStale})
    for (const Place &place : places_of_an_ap()) {
      if (place.at.starts_with("step:"))
        continue;
      SCOPED_TRACE(place.at);
      FaultSpec spec = fault(place.at, action);
      spec.bits = action == Action::kFlip ? 0x800000 : 0;
      expect_as_expected(struck(std::move(spec), "lost@" + place.owed));
    }
}

TEST(SimFaults, GarbageInARingHarmsNobodyAndIsNamed) {
  const Ran ran = run(struck(fault("synced", Action::kGarbage)));
  EXPECT_EQ(ran.verdict.exit, ExitStatus::kAsExpected);
  EXPECT_NE(ran.verdict.gap.find("in the ring of CPU 3"), std::string::npos) << ran.verdict.gap;
}

} // namespace
} // namespace reveille::vmm::sim
