// Tree, with control CPUs that stop: what becomes of the APs that were left to them.
#include "threads.hpp"

namespace reveille::model {
namespace {

using abi::State;
using abi::Strategy;

constexpr unsigned kCpus = 18;

/// Which CPU has brought up each.
std::map<unsigned, unsigned> kicked_by(ThreadMachine &machine) {
  std::map<unsigned, unsigned> by;
  for (const Record &record : machine.records())
    if (record.kind == EventKind::kKick)
      by[record.cpu] = record.writer;
  return by;
}

TEST(Tree, IsBroughtUpByManyCpus) {
  Plan plan = plan_for(kCpus, Strategy::kTree);
  std::atomic<unsigned> by_cpu_0 = 0;
  plan.before_kick = [&](unsigned self, unsigned) {
    by_cpu_0.fetch_add(self == 0, std::memory_order_relaxed);
  };
  ThreadMachine machine(std::move(plan));
  machine.bring_up();
  machine.shut_down();
  EXPECT_TRUE(all_are(machine, kCpus, {}, State::kActive));
  EXPECT_LT(by_cpu_0.load(), kCpus - 1);
  EXPECT_EQ(count(machine, EventKind::kDelegated), kCpus - 1 - by_cpu_0.load());
  EXPECT_EQ(count(machine, EventKind::kReturned), count(machine, EventKind::kDelegated));
  for (const auto &[cpu, by] : kicked_by(machine))
    EXPECT_NE(cpu, by);
  expect_legal(machine, kCpus);
}

/// A control CPU stops just before, or just after, it kicks the AP that it has been left.
class Stopping : public testing::TestWithParam<bool> {
protected:
  /// Calls `stops(control)` there, once, when everybody else is up.
  Plan plan(std::function<void(unsigned)> stops) {
    Plan p = plan_for(kCpus, Strategy::kTree);
    auto hook = [this, stops = std::move(stops)](unsigned self, unsigned cpu) {
      if (self == 0 || cpu < 5 || child.load(std::memory_order_relaxed) != 0)
        return;
      if (unsigned none = 0; !child.compare_exchange_strong(none, cpu, std::memory_order_relaxed))
        return;
      control.store(self, std::memory_order_relaxed);
      wait_quietly([&] { return all_are(*running.load(), kCpus, {cpu}, State::kActive); });
      wait_quietly([&] { return nobody_else_holds_a_lease(); });
      stops(self);
    };
    (GetParam() ? p.after_kick : p.before_kick) = std::move(hook);
    return p;
  }
  bool nobody_else_holds_a_lease() {
    for (unsigned cpu = 1; cpu < kCpus; ++cpu)
      if (cpu != control && running.load()->lease(cpu).phase != core::Lease::Phase::kNone)
        return false;
    return true;
  }
  void let_it_be_fenced(unsigned self) {
    while (running.load()->lease(self).phase != core::Lease::Phase::kFenced)
      running.load()->let_time_pass();
  }
  std::atomic<ThreadMachine *> running = nullptr;
  std::atomic<unsigned> child = 0, control = 0;
};

TEST_P(Stopping, ForAWhileIsFencedLetsGoAndTheApIsAdopted) {
  ThreadMachine machine(plan([&](unsigned self) { let_it_be_fenced(self); }));
  running = &machine;
  machine.bring_up();
  EXPECT_TRUE(all_are(machine, kCpus, {}, State::kActive));
  EXPECT_EQ(machine.word(child).attempt, 1U) << "the attempt that was under way is gone on with";
  machine.take_down();
  EXPECT_TRUE(all_are(machine, kCpus, {}, State::kDead));
  EXPECT_EQ(machine.areas_held(), 0);
  machine.bring_up();
  EXPECT_TRUE(all_are(machine, kCpus, {}, State::kActive));
  machine.shut_down();
  EXPECT_EQ(count(machine, EventKind::kFenced), 1U);
  EXPECT_EQ(count(machine, EventKind::kAdopted), 1U);
  EXPECT_EQ(count(machine, EventKind::kFailed), 0U);
  for (const Record &record : machine.records())
    if (record.kind == EventKind::kAdopted) {
      EXPECT_EQ(record.cpu, child.load());
      EXPECT_EQ(record.a, control.load());
    }
  expect_legal(machine, kCpus);
}

TEST_P(Stopping, ForGoodLosesItsChildAndNobodyElse) {
  std::atomic<bool> lets_go = false, goes_down = false;
  ThreadMachine machine(plan([&](unsigned self) {
    let_it_be_fenced(self);
    running.load()->let_time_pass(); // in which it should have let go
    wait_quietly([&] { return goes_down.load(std::memory_order_relaxed); });
    wait_quietly([&] { return all_are(*running.load(), kCpus, {child, self}, State::kDead); });
    running.load()->let_time_pass(); // it does not answer
    wait_quietly([&] { return lets_go.load(std::memory_order_relaxed); });
  }));
  running = &machine;
  machine.bring_up();
  EXPECT_TRUE(all_are(machine, kCpus, {child}, State::kActive)) << "everybody else is up";
  EXPECT_NE(machine.word(child).state, State::kActive);
  goes_down.store(true, std::memory_order_relaxed);
  machine.take_down();
  EXPECT_TRUE(all_are(machine, kCpus, {child, control}, State::kDead));
  EXPECT_EQ(machine.word(control).state, State::kAbandoned);
  machine.bring_up(); // without the two
  EXPECT_TRUE(all_are(machine, kCpus, {child, control}, State::kActive));
  lets_go.store(true, std::memory_order_relaxed);
  EXPECT_TRUE(machine.serve_until([&] {
    return machine.quarantined(control) == 0 && machine.word(control).state == State::kParked &&
           count(machine, EventKind::kAdopted) == 1;
  }));
  machine.shut_down();
  std::map<unsigned, std::uint64_t> failed;
  for (const Record &record : machine.records())
    if (record.kind == EventKind::kFailed) {
      EXPECT_TRUE(failed.emplace(record.cpu, record.b).second) << "decided twice";
    }
  EXPECT_EQ(failed,
            (std::map<unsigned, std::uint64_t>{{child, abi::failed(abi::FailReason::kLost, 0, 0, 0)},
                                               {control, abi::failed(abi::FailReason::kTimeout, 0, 0, 0)}}));
  for (const Record &record : machine.records())
    if (record.cpu == child) {
      EXPECT_NE(record.kind, EventKind::kOnline);
    }
  expect_legal(machine, kCpus);
}

INSTANTIATE_TEST_SUITE_P(BeforeAndAfterTheKick, Stopping, testing::Values(false, true));

} // namespace
} // namespace reveille::model
