// APs that are late: held somewhere, given up, and let go on afterwards.
#include "threads.hpp"

namespace reveille::model {
namespace {

using abi::State;

constexpr Place kPlaces[] = {Place::kAlive,  Place::kAliveReleased,  Place::kStarted, Place::kStartedReleased,
                             Place::kSynced, Place::kSyncedReleased, Place::kOnline,  Place::kOnlineReleased,
                             Place::kIdle,   Place::kIdleReleased,   Place::kActive};

class Late : public testing::TestWithParam<Place> {};

TEST_P(Late, ParksAndIsFreedOnlyThen) {
  Stall stall;
  std::atomic<ThreadMachine *> running = nullptr;
  Plan plan = plan_for(2);
  plan.at = [&](unsigned, std::uint32_t, Place place) {
    if (place == GetParam())
      stall.here(*running);
  };
  ThreadMachine machine(std::move(plan));
  running = &machine;
  machine.bring_up();
  EXPECT_EQ(machine.word(1).state, State::kAbandoned);
  EXPECT_EQ(machine.quarantined(1), 1U);
  EXPECT_EQ(machine.areas_held(), 1) << "it may still be used";
  stall.let_go();
  EXPECT_TRUE(machine.serve_until([&] { return machine.quarantined(1) == 0; }));
  EXPECT_EQ(machine.word(1), (Word{1, State::kParked, 0}));
  EXPECT_EQ(machine.areas_held(), 0);
  machine.shut_down();
  EXPECT_EQ(count(machine, EventKind::kProven), 1U);
  EXPECT_EQ(count(machine, EventKind::kFailed), 1U);
  expect_legal(machine, 2);
}

TEST_P(Late, HarmsNobodyElse) {
  Stall stall;
  std::atomic<ThreadMachine *> running = nullptr;
  Plan plan = plan_for(5);
  plan.at = [&](unsigned cpu, std::uint32_t, Place place) {
    if (cpu != 3 || place != GetParam())
      return;
    for (const unsigned other : {1U, 2U, 4U}) // only then is the time up
      wait_quietly([&] { return running.load()->word(other).state == State::kActive; });
    stall.here(*running);
  };
  ThreadMachine machine(std::move(plan));
  running = &machine;
  machine.bring_up();
  stall.let_go();
  EXPECT_TRUE(machine.serve_until([&] { return machine.quarantined(3) == 0; }));
  machine.shut_down();
  for (const unsigned cpu : {1U, 2U, 4U})
    EXPECT_EQ(machine.word(cpu), (Word{1, State::kActive, 0}));
  EXPECT_EQ(machine.word(3).state, State::kParked);
  EXPECT_EQ(machine.areas_held(), 3);
  expect_legal(machine, 5);
}

INSTANTIATE_TEST_SUITE_P(AtEveryPlace, Late, testing::ValuesIn(kPlaces));

/// Where a CPU that goes on late finds out at once, before it does anything.
class LateBeside : public testing::TestWithParam<Place> {};

TEST_P(LateBeside, TouchesNothingOfTheSecondAttempt) {
  Stall stall;
  std::atomic<ThreadMachine *> running = nullptr;
  Plan plan = plan_for(2);
  plan.settings.attempts = 2;
  plan.starts = 2;
  plan.at = [&](unsigned, std::uint32_t attempt, Place place) {
    if (attempt == 1 && place == GetParam())
      stall.here(*running);
  };
  plan.lands = [&](unsigned, unsigned start) {
    if (start == 1)
      stall.reset();
  };
  ThreadMachine machine(std::move(plan));
  running = &machine;
  machine.bring_up();
  EXPECT_EQ(machine.word(1), (Word{2, State::kActive, 0}));
  EXPECT_EQ(machine.areas_held(), 1) << "the first attempt's was freed on the proof of the second";
  stall.let_go();
  machine.shut_down();
  EXPECT_EQ(machine.word(1), (Word{2, State::kActive, 0})) << "the late one rests in silence";
  expect_legal(machine, 2);
}

TEST_P(LateBeside, FindsTheSecondAttemptUnderWay) {
  // The late one goes on while the second attempt comes up, in whatever order the host runs them.
  for (int i = 0; i < 10; ++i) {
    Stall stall;
    std::atomic<ThreadMachine *> running = nullptr;
    Plan plan = plan_for(2);
    plan.settings.attempts = 2;
    plan.starts = 2;
    plan.at = [&](unsigned, std::uint32_t attempt, Place place) {
      if (attempt == 1 && place == GetParam())
        stall.here(*running);
    };
    plan.lands = [&](unsigned, unsigned start) {
      if (start == 1) {
        stall.reset();
        stall.let_go();
      }
    };
    ThreadMachine machine(std::move(plan));
    running = &machine;
    machine.bring_up();
    machine.shut_down();
    EXPECT_EQ(machine.word(1), (Word{2, State::kActive, 0}));
    EXPECT_EQ(machine.areas_held(), 1);
    expect_legal(machine, 2);
  }
}

INSTANTIATE_TEST_SUITE_P(AtEveryArrival, LateBeside,
                         testing::Values(Place::kAlive, Place::kStarted, Place::kSynced, Place::kOnline,
                                         Place::kIdle, Place::kActive));

TEST(Kick, ThatIsLostIsRetried) {
  std::atomic<ThreadMachine *> running = nullptr;
  Plan plan = plan_for(2);
  plan.settings.attempts = 2;
  plan.delivers = [&](unsigned, std::uint32_t attempt) {
    if (attempt == 1)
      running.load()->time_is_up();
    return attempt != 1;
  };
  ThreadMachine machine(std::move(plan));
  running = &machine;
  machine.bring_up();
  machine.shut_down();
  EXPECT_EQ(machine.word(1), (Word{2, State::kActive, 0}));
  EXPECT_EQ(machine.areas_held(), 1);
  EXPECT_EQ(count(machine, EventKind::kQuarantined), 0U);
  expect_legal(machine, 2);
}

TEST(Kick, OfAnOldAttemptThatLandsLateFailsItsClaim) {
  std::atomic<ThreadMachine *> running = nullptr;
  Plan plan = plan_for(2);
  plan.settings.attempts = 2;
  plan.starts = 2;
  plan.delivers = [&](unsigned, std::uint32_t attempt) {
    if (attempt == 1)
      running.load()->time_is_up();
    return true;
  };
  std::atomic<bool> up = false;
  plan.lands = [&](unsigned, unsigned start) {
    if (start == 0)
      wait_quietly([&] { return up.load(std::memory_order_relaxed); });
  };
  std::atomic<bool> refused = false;
  plan.refused = [&](unsigned, unsigned) { refused.store(true, std::memory_order_relaxed); };
  ThreadMachine machine(std::move(plan));
  running = &machine;
  machine.bring_up();
  up.store(true, std::memory_order_relaxed);
  EXPECT_TRUE(machine.serve_until([&] { return refused.load(std::memory_order_relaxed); }));
  machine.shut_down();
  EXPECT_EQ(machine.word(1), (Word{2, State::kActive, 0}));
  EXPECT_EQ(count(machine, EventKind::kClaimFailed), 1U);
  expect_legal(machine, 2);
}

TEST(Kick, OfAnOldAttemptThatLandsBeforeTheClaimOfTheNextFailsToo) {
  std::atomic<ThreadMachine *> running = nullptr;
  Plan plan = plan_for(2);
  plan.settings.attempts = 2;
  plan.starts = 2;
  plan.delivers = [&](unsigned, std::uint32_t attempt) {
    if (attempt == 1)
      running.load()->time_is_up();
    return true;
  };
  std::atomic<bool> refused = false;
  plan.lands = [&](unsigned, unsigned start) {
    if (start == 0) // the word is (2, kicked), and this start is on the page of 1
      wait_quietly([&] { return running.load()->word(1).attempt == 2; });
    else
      wait_quietly([&] { return refused.load(std::memory_order_relaxed); });
  };
  plan.refused = [&](unsigned, unsigned) { refused.store(true, std::memory_order_relaxed); };
  ThreadMachine machine(std::move(plan));
  running = &machine;
  machine.bring_up();
  machine.shut_down();
  EXPECT_EQ(machine.word(1), (Word{2, State::kActive, 0}));
  expect_legal(machine, 2);
}

TEST(Many, AreAllLateAtOnce) {
  constexpr unsigned kCpus = 20;
  Stall stall(kCpus - 1);
  std::atomic<ThreadMachine *> running = nullptr;
  Plan plan = plan_for(kCpus);
  plan.at = [&](unsigned cpu, std::uint32_t, Place place) {
    if (place == (cpu % 2 == 0 ? Place::kAlive : Place::kSyncedReleased))
      stall.here(*running);
  };
  ThreadMachine machine(std::move(plan));
  running = &machine;
  machine.bring_up();
  EXPECT_EQ(stall.held(), kCpus - 1);
  EXPECT_EQ(machine.areas_held(), static_cast<int>(kCpus - 1));
  stall.let_go();
  EXPECT_TRUE(machine.serve_until([&] { return machine.areas_held() == 0; }));
  machine.shut_down();
  for (unsigned cpu = 1; cpu < kCpus; ++cpu)
    EXPECT_EQ(machine.word(cpu).state, State::kParked);
  expect_legal(machine, kCpus);
}

} // namespace
} // namespace reveille::model
