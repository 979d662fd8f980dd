// Bring-up with a thread for each CPU, in every strategy.
#include "threads.hpp"

namespace reveille::model {
namespace {

using abi::State;
using abi::Strategy;

struct Setup {
  unsigned cpus;
  Strategy strategy;
  unsigned window;
};

/// From the kick, or from being left to another control CPU, to being up.
unsigned most_in_flight(ThreadMachine &machine) {
  std::set<unsigned> in_flight;
  std::size_t most = 0;
  for (const Record &record : machine.records()) {
    if (record.kind == EventKind::kKick || record.kind == EventKind::kDelegated)
      in_flight.insert(record.cpu);
    if (record.kind == EventKind::kOnline)
      in_flight.erase(record.cpu);
    most = std::max(most, in_flight.size());
  }
  return static_cast<unsigned>(most);
}

class BringUp : public testing::TestWithParam<Setup> {};

TEST_P(BringUp, EverybodyIsActive) {
  const auto [cpus, strategy, window] = GetParam();
  Plan plan = plan_for(cpus, strategy);
  plan.settings.window = window;
  plan.kicks_all = cpus == 8;
  plan.settings.tsc_wait = 600'000'000'000; // whoever wants the CP gets it
  std::atomic<unsigned> kicks = 0;
  plan.before_kick = [&](unsigned, unsigned) { kicks.fetch_add(1, std::memory_order_relaxed); };
  ThreadMachine machine(std::move(plan));
  machine.bring_up();
  machine.shut_down();
  for (unsigned cpu = 1; cpu < cpus; ++cpu) {
    EXPECT_EQ(machine.word(cpu), (Word{1, State::kActive, 0}));
    EXPECT_EQ(machine.quarantined(cpu), 0U);
  }
  EXPECT_EQ(kicks.load(), cpus - 1);
  EXPECT_EQ(machine.areas_held(), static_cast<int>(cpus - 1));
  EXPECT_EQ(count(machine, EventKind::kOnline), cpus - 1);
  EXPECT_EQ(count(machine, EventKind::kFailed), 0U);
  EXPECT_EQ(count(machine, EventKind::kClaimFailed), 0U);
  EXPECT_EQ(count(machine, EventKind::kTscServed), cpus - 1) << "everybody has met the CP";
  EXPECT_LE(most_in_flight(machine), strategy == Strategy::kSerial ? 1 : window == 0 ? cpus : window);
  expect_legal(machine, cpus);
}

std::vector<Setup> setups() {
  std::vector<Setup> all;
  for (const Strategy strategy : kStrategies) {
    for (const unsigned cpus : {1U, 2U, 8U, 70U})
      all.push_back({cpus, strategy, 0});
    all.push_back({8, strategy, 3});
    all.push_back({20, strategy, 4});
  }
  return all;
}

std::string named(const testing::TestParamInfo<Setup> &setup) {
  return said(setup.param.strategy) + std::to_string(setup.param.cpus) +
         (setup.param.window == 0 ? "" : "Window" + std::to_string(setup.param.window));
}

INSTANTIATE_TEST_SUITE_P(All, BringUp, testing::ValuesIn(setups()), named);

TEST(Siblings, AreKickedAfterTheirPrimary) {
  for (const Strategy strategy : kStrategies)
    for (const unsigned window : {0U, 3U}) {
      constexpr unsigned kCpus = 18;
      Plan plan = plan_for(kCpus, strategy);
      plan.settings.primary_threads_first = true;
      plan.settings.window = window;
      plan.threads_per_core = 4;
      ThreadMachine machine(std::move(plan));
      for (int cycle = 0; cycle < 3; ++cycle) {
        machine.bring_up();
        EXPECT_TRUE(all_are(machine, kCpus, {}, State::kActive));
        machine.take_down();
      }
      machine.shut_down();
      std::set<unsigned> up{0};
      for (const Record &record : machine.records()) {
        if (record.kind == EventKind::kOnline)
          up.insert(record.cpu);
        if (record.kind == EventKind::kTakeDown)
          up.erase(record.cpu);
        if (record.kind == EventKind::kKick && record.cpu % 4 != 0) {
          EXPECT_TRUE(up.contains(record.cpu - record.cpu % 4)) << "CPU " << record.cpu;
        }
      }
      EXPECT_EQ(count(machine, EventKind::kKick), std::size_t{3} * (kCpus - 1));
    }
}

/// A CPU's steps: each once, in order, none of STARTING before the release from alive.
TEST(Steps, AreInOrder) {
  Plan plan = plan_for(8);
  ThreadMachine machine(std::move(plan));
  machine.bring_up();
  machine.shut_down();
  for (unsigned cpu = 1; cpu < 8; ++cpu) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> steps;
    bool released = false;
    for (const Record &record : machine.records()) {
      if (record.cpu != cpu)
        continue;
      if (record.kind == EventKind::kResumed && Word::from(record.a).state == State::kStarting)
        released = true;
      if (record.kind == EventKind::kStepEnter) {
        steps.emplace_back(record.b, record.a);
        EXPECT_EQ(released, record.b != static_cast<std::uint64_t>(Section::kPrepare));
        EXPECT_EQ(record.writer, released ? cpu : 0U);
      }
    }
    const std::vector<std::pair<std::uint64_t, std::uint64_t>> expected = {{1, 0}, {1, 1}, {2, 0},
                                                                           {2, 1}, {3, 0}, {3, 1}};
    EXPECT_EQ(steps, expected);
  }
}

} // namespace
} // namespace reveille::model
