// The trace: what is taken out of the rings, what it has told, and how much of it is kept.
#include "vmm/lab/trace.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

using abi::EventKind;
using abi::State;
using abi::Word;

constexpr std::uint32_t kCpus = 3;

/// A control area in memory that no guest runs in; the test writes what a guest would.
class TraceTest : public testing::Test {
protected:
  TraceTest() : memory_(GuestMemory::create(16).value()) {
    scenario_.machine.vcpus = kCpus;
    scenario_.bringup.max_cpus = kCpus;
    scenario_.bringup.cycles = 3;
    FaultSpec fault;
    fault.cpus = {1};
    fault.at = {"alive", GuestPlace{abi::Place::kAlive}};
    fault.action = Action::kDelay;
    fault.duration_ms = 1;
    scenario_.faults = {fault};
    layout_ = lay_out_control_area(scenario_.machine, scenario_.bringup, memory_.low_end()).value();
    area_ = ControlArea::create(memory_, layout_, scenario_, {}).value();
    faults_.emplace(scenario_, Roster(scenario_));
    trace_.emplace(*area_, *faults_, scenario_);
  }

  void write(CpuIndex writer, EventKind kind, CpuIndex cpu, std::uint32_t attempt, std::uint64_t a = 0,
             std::uint64_t b = 0) {
    abi::RingLine &line = memory_.at<abi::CpuSlot>(layout_.slots, kCpus)[writer].ring;
    const std::uint32_t capacity = layout_.ring_capacity(writer);
    abi::Event &event = memory_.at<abi::Event>(layout_.ring(writer), capacity)[line.count.load() % capacity];
    event = {};
    event.cpu = cpu;
    event.attempt = attempt;
    event.kind = kind;
    event.a = a;
    event.b = b;
    line.count.store(line.count.load() + 1);
  }

  GuestMemory memory_;
  Scenario scenario_;
  ControlLayout layout_;
  std::optional<ControlArea> area_;
  std::optional<FaultEngine> faults_;
  std::optional<Trace> trace_;
};

TEST_F(TraceTest, KeepsWhatWasTakenInItsOrder) {
  write(1, EventKind::kResumed, 1, 1, 10);
  trace_->take(1);
  write(1, EventKind::kResumed, 1, 1, 11);
  write(2, EventKind::kResumed, 2, 1, 20);
  trace_->take(1);
  EXPECT_EQ(trace_->taken(1), 2u);
  EXPECT_EQ(trace_->taken(2), 0u);
  trace_->take_all();
  ASSERT_EQ(trace_->events(1).size(), 2u);
  EXPECT_EQ(trace_->events(1)[0].a, 10u);
  EXPECT_EQ(trace_->events(1)[1].a, 11u);
  ASSERT_EQ(trace_->events(2).size(), 1u);
  EXPECT_EQ(trace_->lost(1), 0u);
}

TEST_F(TraceTest, ACpuIsOnlineFromItsDecisionUntilItIsDown) {
  EXPECT_FALSE(trace_->standing(1).online());
  write(0, EventKind::kOnline, 1, 1);
  trace_->take_all();
  EXPECT_TRUE(trace_->standing(1).online());
  write(0, EventKind::kOffline, 1, 1);
  trace_->take_all();
  EXPECT_FALSE(trace_->standing(1).online());
  write(0, EventKind::kOnline, 1, 2);
  trace_->take_all();
  EXPECT_TRUE(trace_->standing(1).online());
  write(0, EventKind::kFailed, 1, 2);
  trace_->take_all();
  EXPECT_FALSE(trace_->standing(1).online());
  EXPECT_TRUE(trace_->standing(1).out);
}

TEST_F(TraceTest, TheOrderOfTheRingsDoesNotMatter) {
  // CPU 2 brought CPU 1 up, and CPU 0, whose ring is read first, took it down.
  write(2, EventKind::kOnline, 1, 1);
  write(0, EventKind::kOffline, 1, 1);
  write(0, EventKind::kProven, 1, 7);
  write(2, EventKind::kQuarantined, 1, 7);
  trace_->take_all();
  EXPECT_FALSE(trace_->standing(1).online());
  EXPECT_EQ(trace_->standing(1).proven, 7u);
  EXPECT_EQ(trace_->standing(1).quarantined, 7u);
}

TEST_F(TraceTest, OnlyACpuItselfSaysThatItSwappedToActive) {
  const auto moved = [this](CpuIndex writer, std::uint32_t attempt) {
    write(writer, EventKind::kMoved, 1, attempt, 0, Word{attempt, State::kActive, 0}.bits());
    trace_->take_all();
  };
  moved(0, 4);
  EXPECT_EQ(trace_->standing(1).active, 0u);
  moved(1, 4);
  EXPECT_EQ(trace_->standing(1).active, 4u);
}

TEST_F(TraceTest, FiringsAreToldOfDecisions) {
  const auto firing = faults_->begin(faults_->at(1, abi::Place::kAlive, {1, 1}).at(0), 1,
                                     abi::Word{1, abi::State::kClaimed, 0}.bits(), 0);
  faults_->end(*firing, HoldEnd::kReleased, 1);
  write(0, EventKind::kOnline, 1, 1);
  trace_->take_all();
  EXPECT_EQ(faults_->firings()[0].aftermath, Aftermath::kActive);
}

TEST_F(TraceTest, CountsTheCyclesThatThereAre) {
  EXPECT_EQ(trace_->cycle(), 1u);
  write(0, EventKind::kCycle, 0, 0, 2);
  write(0, EventKind::kCycle, 0, 0, 4); // there is none
  write(1, EventKind::kCycle, 0, 0, 3); // not CPU 1's to say
  trace_->take_all();
  EXPECT_EQ(trace_->cycle(), 2u);
}

TEST_F(TraceTest, APanicIsOfTheCpuThatWritesIt) {
  write(1, EventKind::kPanic, 2, 1, 0x1000);
  write(2, EventKind::kPanic, 2, 1, 0x2000);
  trace_->take_all();
  EXPECT_FALSE(trace_->standing(1).panic);
  ASSERT_TRUE(trace_->standing(2).panic);
  EXPECT_EQ(trace_->standing(2).panic->a, 0x2000u);
}

TEST_F(TraceTest, CpusThatDoNotExistCountForNothing) {
  write(0, EventKind::kOnline, kCpus, 1);
  write(0, EventKind::kFailed, UINT32_MAX, 1);
  trace_->take_all();
  EXPECT_EQ(trace_->events(0).size(), 2u); // but are evidence
}

TEST_F(TraceTest, OfAGuestThatWritesForEverTheLastIsKeptAndTheRestCounted) {
  const std::uint32_t capacity = layout_.ring_capacity(1);
  const std::uint64_t all = 100ull * capacity;
  for (std::uint64_t i = 0; i < all; ++i) {
    write(1, EventKind::kResumed, 1, 1, i);
    if (i % capacity == capacity - 1)
      trace_->take_all();
  }
  const auto events = trace_->events(1);
  EXPECT_EQ(trace_->taken(1), all);
  EXPECT_LE(events.size(), capacity * 4); // a sound guest does not write as much in three cycles
  EXPECT_GE(events.size(), capacity);
  EXPECT_EQ(trace_->lost(1), all - events.size());
  EXPECT_EQ(events.back().a, all - 1);
  EXPECT_EQ(events.front().a, all - events.size());
}

TEST_F(TraceTest, AnAccountThatIsNotCredibleIsALoss) {
  memory_.at<abi::CpuSlot>(layout_.slots, kCpus)[1].ring.count = UINT32_MAX;
  trace_->take_all();
  EXPECT_TRUE(trace_->events(1).empty());
  EXPECT_EQ(trace_->lost(1), 1u);
  memory_.at<abi::CpuSlot>(layout_.slots, kCpus)[1].ring.lost = 9;
  trace_->take_all();
  EXPECT_EQ(trace_->lost(1), 9u);
}

} // namespace
} // namespace reveille::vmm
