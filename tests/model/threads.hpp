// What the tests over the machine of threads have in common.
#pragma once

#include "thread_machine.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace reveille::model {

/// A plan with time for everybody; the bounds of the TSC rendezvous are real time.
[[nodiscard]] inline Plan plan_for(unsigned cpus, abi::Strategy strategy = abi::Strategy::kParallel) {
  Plan plan;
  plan.cpus = cpus;
  plan.settings.strategy = strategy;
  plan.settings.stop = abi::Stop::kNone;
  plan.settings.timeout = 600'000'000'000; // ten minutes
  plan.settings.recheck = plan.settings.timeout;
  plan.settings.tsc_wait = 20'000'000;
  plan.settings.tsc_look = 2'000'000;
  plan.time_stands_still = true;
  return plan;
}

inline constexpr abi::Strategy kStrategies[] = {abi::Strategy::kSerial, abi::Strategy::kSplit,
                                                abi::Strategy::kParallel, abi::Strategy::kTree};

[[nodiscard]] inline std::string said(abi::Strategy strategy) {
  constexpr const char *kNames[] = {"Serial", "Split", "Parallel", "Tree"};
  return kNames[static_cast<unsigned>(strategy)];
}

/// Waits without ordering anything, and gives the CPU to others meanwhile.
template <class Until> void wait_quietly(Until &&until) {
  while (!until())
    std::this_thread::sleep_for(std::chrono::microseconds(100));
}

/// Every move is in the table and made by whom it names; those of a CPU are one chain.
inline void expect_legal(ThreadMachine &machine, unsigned cpus) {
  std::vector<std::map<std::uint64_t, std::uint64_t>> next(cpus);
  std::vector<std::size_t> moves(cpus);
  for (const Record &record : machine.records()) {
    if (record.kind != EventKind::kMoved)
      continue;
    const auto mover = record.writer == record.cpu ? protocol::Mover::kAp : protocol::Mover::kCp;
    EXPECT_TRUE(protocol::is_legal(Word::from(record.a), Word::from(record.b), mover))
        << record.cpu << ": " << protocol::name(Word::from(record.a).state) << " to "
        << protocol::name(Word::from(record.b).state);
    EXPECT_TRUE(next[record.cpu].emplace(record.a, record.b).second) << "moved twice from one word";
    ++moves[record.cpu];
  }
  for (unsigned cpu = 1; cpu < cpus; ++cpu) {
    std::uint64_t bits = 0;
    std::size_t length = 0;
    for (auto at = next[cpu].find(bits); at != next[cpu].end(); at = next[cpu].find(bits)) {
      bits = at->second;
      ++length;
    }
    EXPECT_EQ(length, moves[cpu]) << "a move that is not of the chain";
    EXPECT_EQ(bits, machine.word(cpu).bits());
  }
}

[[nodiscard]] inline std::size_t count(ThreadMachine &machine, EventKind kind) {
  std::size_t n = 0;
  for (const Record &record : machine.records())
    n += record.kind == kind;
  return n;
}

/// All APs but some are in one of these states.
template <class... S>
[[nodiscard]] bool all_are(ThreadMachine &machine, unsigned cpus, const std::set<unsigned> &but,
                           S... states) {
  for (unsigned cpu = 1; cpu < cpus; ++cpu)
    if (const abi::State state = machine.word(cpu).state; !but.contains(cpu) && ((state != states) && ...))
      return false;
  return true;
}

/// A place where an AP is held until the test lets it go.
class Stall {
public:
  /// By an AP. When all that are to be held are here, their turns are over.
  void here(ThreadMachine &machine) {
    // Release: pairs with reset().
    if (held_.fetch_add(1, std::memory_order_release) + 1 == needed_)
      machine.time_is_up();
    wait_quietly([this] { return over_.load(std::memory_order_relaxed); });
  }
  explicit Stall(unsigned needed = 1) : needed_(needed) {}
  [[nodiscard]] unsigned held() const { return held_.load(std::memory_order_relaxed); }
  void let_go() { over_.store(true, std::memory_order_relaxed); }
  /// By a later start of the same CPU: what the CPU did before is over, because it is one CPU.
  void reset() {
    wait_quietly([this] { return held_.load(std::memory_order_acquire) != 0; });
  }

private:
  unsigned needed_;
  std::atomic<unsigned> held_ = 0;
  std::atomic<bool> over_ = false;
};

} // namespace reveille::model
