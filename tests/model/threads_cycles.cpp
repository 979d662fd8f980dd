// Up, down and up again, with a thread for each CPU: what is left behind, and who stays out.
#include "threads.hpp"

namespace reveille::model {
namespace {

using abi::State;
using abi::Strategy;

struct Setup {
  unsigned cpus;
  Strategy strategy;
  unsigned cycles;
};

class Cycles : public testing::TestWithParam<Setup> {};

TEST_P(Cycles, LeaveNothingBehind) {
  const auto [cpus, strategy, cycles] = GetParam();
  ThreadMachine machine(plan_for(cpus, strategy));
  const int aps = static_cast<int>(cpus) - 1;
  for (std::uint32_t cycle = 1; cycle <= cycles; ++cycle) {
    machine.bring_up();
    EXPECT_TRUE(all_are(machine, cpus, {}, State::kActive));
    EXPECT_EQ(machine.areas_held(), aps);
    EXPECT_FALSE(machine.is_frozen());
    machine.take_down();
    EXPECT_TRUE(all_are(machine, cpus, {}, State::kDead));
    EXPECT_EQ(machine.areas_held(), 0);
    EXPECT_FALSE(machine.is_frozen());
    for (unsigned cpu = 1; cpu < cpus; ++cpu) {
      EXPECT_EQ(machine.word(cpu).attempt, cycle) << "never used again";
      EXPECT_EQ(machine.quarantined(cpu), 0U);
    }
  }
  machine.bring_up();
  EXPECT_TRUE(all_are(machine, cpus, {}, State::kActive));
  machine.shut_down();
  EXPECT_EQ(count(machine, EventKind::kOffline), std::size_t{cpus - 1} * cycles);
  EXPECT_EQ(count(machine, EventKind::kFailed), 0U);
  EXPECT_EQ(count(machine, EventKind::kClaimFailed), 0U);
  expect_legal(machine, cpus);
}

INSTANTIATE_TEST_SUITE_P(All, Cycles,
                         testing::Values(Setup{2, Strategy::kSerial, 100}, Setup{8, Strategy::kSerial, 20},
                                         Setup{8, Strategy::kSplit, 20}, Setup{8, Strategy::kParallel, 100},
                                         Setup{8, Strategy::kTree, 100}, Setup{24, Strategy::kTree, 10}),
                         [](const testing::TestParamInfo<Setup> &setup) {
                           return said(setup.param.strategy) + std::to_string(setup.param.cpus);
                         });

/// A CPU's teardowns, as the log tells them: the startups of its attempt backwards.
TEST(Cycles, UndoEachStepOnceAndBackwards) {
  constexpr unsigned kCpus = 5;
  ThreadMachine machine(plan_for(kCpus));
  machine.bring_up();
  machine.take_down();
  machine.shut_down();
  for (unsigned cpu = 1; cpu < kCpus; ++cpu) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> done, undone;
    for (const Record &record : machine.records()) {
      if (record.cpu != cpu)
        continue;
      if (record.kind == EventKind::kStepEnter)
        done.emplace(done.begin(), record.b, record.a);
      if (record.kind == EventKind::kUndoEnter) {
        undone.emplace_back(record.b, record.a);
        EXPECT_EQ(record.writer, record.b == static_cast<std::uint64_t>(Section::kPrepare) ? 0U : cpu);
      }
    }
    EXPECT_EQ(undone.size(), 6U);
    EXPECT_EQ(undone, done);
  }
}

class HangingDown : public testing::TestWithParam<std::tuple<Strategy, Place>> {};

TEST_P(HangingDown, IsGivenUpAndStaysOut) {
  constexpr unsigned kCpus = 6, kHangs = 3;
  const auto [strategy, place] = GetParam();
  Stall stall;
  std::atomic<ThreadMachine *> running = nullptr;
  Plan plan = plan_for(kCpus, strategy);
  plan.at = [&, place = place, strategy = strategy](unsigned cpu, std::uint32_t, Place at) {
    if (cpu != kHangs || at != place)
      return;
    if (strategy == Strategy::kParallel ||
        strategy == Strategy::kTree) // all at once: only then is its time up
      wait_quietly([&] { return all_are(*running, kCpus, {kHangs}, State::kDead); });
    stall.here(*running);
  };
  ThreadMachine machine(std::move(plan));
  running = &machine;
  machine.bring_up();
  machine.take_down();
  EXPECT_TRUE(all_are(machine, kCpus, {kHangs}, State::kDead));
  EXPECT_EQ(machine.word(kHangs).state, State::kAbandoned);
  EXPECT_EQ(machine.areas_held(), 1) << "it may still be used";
  machine.bring_up(); // without it
  EXPECT_TRUE(all_are(machine, kCpus, {kHangs}, State::kActive));
  EXPECT_EQ(machine.word(kHangs).attempt, 1U);
  stall.let_go();
  EXPECT_TRUE(machine.serve_until([&] { return machine.quarantined(kHangs) == 0; }));
  EXPECT_EQ(machine.word(kHangs).state, State::kParked);
  machine.take_down();
  EXPECT_EQ(machine.areas_held(), 0);
  machine.shut_down();
  for (const Record &record : machine.records())
    if (record.kind == EventKind::kFailed) {
      EXPECT_EQ(record.cpu, kHangs);
      EXPECT_EQ(record.b, abi::failed(abi::FailReason::kTimeout, 0, 0, 0));
      EXPECT_EQ(protocol::owed(Word::from(record.a).state), place == Place::kDying ? "dying" : "dead");
    }
  EXPECT_EQ(count(machine, EventKind::kFailed), 1U);
  unsigned undone = 0; // by itself and by CPU 0 together
  for (const Record &record : machine.records())
    undone += record.cpu == kHangs && record.kind == EventKind::kUndoDone;
  EXPECT_EQ(undone, 6U) << "each once: it hung between them";
  expect_legal(machine, kCpus);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, HangingDown,
                         testing::Combine(testing::ValuesIn(kStrategies),
                                          testing::Values(Place::kDying, Place::kDead)),
                         [](const testing::TestParamInfo<std::tuple<Strategy, Place>> &setup) {
                           return said(std::get<0>(setup.param)) +
                                  (std::get<1>(setup.param) == Place::kDying ? "Dying" : "Dead");
                         });

} // namespace
} // namespace reveille::model
