// primary_threads_first: a sibling is kicked when its own primary is decided, and not before.
#include "scripted_machine.hpp"

#include <set>

namespace {

using namespace reveille::unit;
using reveille::abi::Strategy;

constexpr Strategy kStrategies[] = {Strategy::kSerial, Strategy::kSplit, Strategy::kParallel};

/// Cores of `threads` CPUs, neighbours; the first of each is its primary.
struct Cores : Bench {
  Cores(Strategy strategy, unsigned cpus, unsigned threads, unsigned window = 0)
      : Bench([&] {
          reveille::core::Settings s = quick(cpus);
          s.strategy = strategy;
          s.window = window;
          s.primary_threads_first = true;
          return s;
        }()) {
    for (unsigned cpu = 0; cpu < cpus; ++cpu)
      machine.set_primary(cpu, cpu - cpu % threads);
    machine.habit = [](unsigned cpu, std::uint32_t) { return Habit{5 + cpu % 4}; };
  }
};

/// Every kick of a sibling comes after its primary was decided, in each cycle.
void expect_primaries_first(ScriptedMachine &machine) {
  std::set<unsigned> decided{0};
  for (const Record &record : machine.records) {
    if (record.kind == EventKind::kOnline || record.kind == EventKind::kFailed)
      decided.insert(record.cpu);
    if (record.kind == EventKind::kOffline)
      decided.erase(record.cpu);
    if (record.kind == EventKind::kKick && machine.primary_of(record.cpu) != record.cpu) {
      EXPECT_EQ(decided.count(machine.primary_of(record.cpu)), 1U) << "CPU " << record.cpu;
    }
  }
}

TEST(Siblings, AreKickedAfterTheirPrimary) {
  for (const Strategy strategy : kStrategies)
    for (const unsigned threads : {2U, 4U, 8U})
      for (const unsigned window : {0U, 1U, 3U}) {
        Cores bench(strategy, 33, threads, window);
        for (int cycle = 0; cycle < 2; ++cycle) {
          static_cast<void>(bench.run());
          EXPECT_EQ(bench.count(State::kActive), 32U);
          static_cast<void>(bench.run_down());
        }
        expect_primaries_first(bench.machine);
        EXPECT_EQ(bench.machine.kicks.size(), 64U);
      }
}

TEST(Siblings, WaitForNobodyElsesPrimary) {
  Cores bench(Strategy::kParallel, 8, 2);
  bench.machine.habit = [](unsigned cpu, std::uint32_t) { return Habit{cpu == 2 ? 45U : 1U}; };
  static_cast<void>(bench.run());
  const auto time_of = [&](EventKind kind, unsigned cpu) {
    for (const Record &record : bench.machine.records)
      if (record.kind == kind && record.cpu == cpu)
        return record.time;
    return std::uint64_t{0};
  };
  EXPECT_LT(time_of(EventKind::kOnline, 5), time_of(EventKind::kOnline, 2));
  EXPECT_GE(time_of(EventKind::kKick, 3), time_of(EventKind::kOnline, 2));
  EXPECT_EQ(time_of(EventKind::kKick, 1), bench.machine.records.front().time) << "CPU 0 is up already";
}

TEST(Siblings, ComeEvenIfTheirPrimaryFails) {
  for (const Strategy strategy : kStrategies) {
    Cores bench(strategy, 8, 4);
    bench.settings.attempts = 3;
    bench.machine.habit = [](unsigned cpu, std::uint32_t) {
      return Habit{1, cpu == 4 ? State::kStarting : State::kDown};
    };
    for (int cycle = 0; cycle < 2; ++cycle) { // in the second, it is not tried any more
      static_cast<void>(bench.run());
      EXPECT_EQ(bench.count(State::kActive), 6U);
      static_cast<void>(bench.run_down());
    }
    EXPECT_EQ(bench.seats[4].control.attempts_made(), 3U);
    expect_primaries_first(bench.machine);
    EXPECT_EQ(bench.machine.logged(EventKind::kFailed).size(), 1U);
  }
}

TEST(Siblings, OfAPrimaryThatIsNotRequestedDoNotWaitForIt) {
  Cores bench(Strategy::kParallel, 4, 2);
  bench.machine.set_primary(3, 69); // no seat
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive), 3U);
}

TEST(Siblings, DoNotWaitIfNotAsked) {
  Cores bench(Strategy::kParallel, 8, 2);
  bench.settings.primary_threads_first = false;
  bench.driver.begin_up();
  bench.driver.poll();
  EXPECT_EQ(bench.machine.kicks.size(), 7U);
}

} // namespace
