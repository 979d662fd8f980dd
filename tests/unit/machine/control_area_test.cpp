#include "vmm/machine/control_area.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace reveille::vmm {
namespace {

constexpr std::uint32_t kCpus = 4;

/// A control area in memory that no guest runs in; the test writes what a guest would.
class ControlAreaTest : public testing::Test {
protected:
  ControlAreaTest() : memory_(GuestMemory::create(16).value()) {
    scenario_.machine.vcpus = kCpus;
    scenario_.machine.memory_mib = 16;
    scenario_.bringup.max_cpus = 3;
    scenario_.bringup.attempts = 2;
    scenario_.bringup.timeout_ms = 12.5;
    scenario_.bringup.cycles = 7;
    scenario_.bringup.primary_threads_first = true;
    layout_ = lay_out_control_area(scenario_.machine, scenario_.bringup, memory_.low_end()).value();
    area_ = ControlArea::create(memory_, layout_, scenario_, {2'000'000, 1'000'000'000});
  }

  abi::CpuSlot &slot(CpuIndex cpu) { return memory_.at<abi::CpuSlot>(layout_.slots, kCpus)[cpu]; }
  abi::Event &event(CpuIndex cpu, std::uint32_t index) {
    return memory_.at<abi::Event>(layout_.ring(cpu), layout_.ring_capacity(cpu))[index];
  }

  GuestMemory memory_;
  Scenario scenario_;
  ControlLayout layout_;
  Result<ControlArea> area_ = fail(ExitStatus::kBroken, "not built yet");
};

TEST_F(ControlAreaTest, TellsTheGuestWhatTheScenarioAsksFor) {
  ASSERT_TRUE(area_);
  const auto *page = memory_.at<abi::ControlPage>(layout_.page);
  EXPECT_EQ(page->magic, abi::kControlMagic);
  EXPECT_EQ(page->version, abi::kAbiVersion);
  EXPECT_EQ(page->size, sizeof(abi::ControlPage));
  EXPECT_EQ(page->request.cpus, kCpus);
  EXPECT_EQ(page->request.max_cpus, 3u);
  EXPECT_EQ(page->request.attempts, 2u);
  EXPECT_EQ(page->request.cycles, 7u);
  EXPECT_EQ(page->request.primary_threads_first, 1u);
  EXPECT_EQ(page->request.timeout_us, 12'500u);
  EXPECT_EQ(page->request.tsc_khz, 2'000'000u);
  EXPECT_EQ(page->request.slots, layout_.slots);
}

TEST_F(ControlAreaTest, PartsAreInOrderAndDoNotOverlap) {
  EXPECT_EQ(layout_.range.end, memory_.low_end());
  EXPECT_EQ(layout_.page % 4096, 0u);
  EXPECT_GE(layout_.slots, layout_.page + sizeof(abi::ControlPage));
  EXPECT_GE(layout_.rings, layout_.slots + kCpus * sizeof(abi::CpuSlot));
  for (CpuIndex cpu = 0; cpu < kCpus; ++cpu) {
    const std::uint64_t end = layout_.ring(cpu) + layout_.ring_capacity(cpu) * sizeof(abi::Event);
    EXPECT_LE(end, cpu + 1 < kCpus ? layout_.ring(cpu + 1) : layout_.range.end);
    EXPECT_EQ(slot(cpu).host.ring, layout_.ring(cpu));
    EXPECT_EQ(slot(cpu).host.ring_capacity, layout_.ring_capacity(cpu));
  }
}

TEST_F(ControlAreaTest, TooLittleMemoryIsAUsageError) {
  scenario_.machine.vcpus = 1024;
  scenario_.bringup.attempts = 8;
  const auto layout = lay_out_control_area(scenario_.machine, scenario_.bringup, 16u << 20);
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().status, ExitStatus::kUsage);
  EXPECT_NE(layout.error().message.find("memory_mib = 16"), std::string::npos);
}

TEST_F(ControlAreaTest, ArmsAndDisarmsOnePlaceOfOneCpu) {
  area_->arm(2, abi::Place::kAlive);
  area_->arm(2, abi::Place::kKick);
  area_->disarm(2, abi::Place::kAlive);
  EXPECT_EQ(slot(2).host.armed.load(), std::uint64_t{1} << 12);
  EXPECT_EQ(area_->armed(2), std::uint64_t{1} << 12);
  EXPECT_EQ(area_->armed(1), 0u);
}

TEST_F(ControlAreaTest, AnswersTheStepOfOneCpu) {
  area_->answer_step(2, -11);
  EXPECT_EQ(slot(2).host.step_error.load(), -11);
  EXPECT_EQ(slot(1).host.step_error.load(), 0);
  area_->answer_step(2, 0);
  EXPECT_EQ(slot(2).host.step_error.load(), 0);
}

TEST_F(ControlAreaTest, ShowsWhoBringsACpuUp) {
  slot(2).sync.control = 1;
  slot(2).sync.cycle = 5;
  EXPECT_EQ(area_->sync(2).control, 1u);
  EXPECT_EQ(area_->sync(2).cycle, 5u);
}

TEST_F(ControlAreaTest, TakesEventsOnceEachAndMakesRoom) {
  event(1, 0).a = 10;
  event(1, 1).a = 11;
  slot(1).ring.count = 1;
  const RingView first = area_->take_events(1);
  ASSERT_EQ(first.events.size(), 1u);
  EXPECT_EQ(first.events[0].a, 10u);
  EXPECT_FALSE(first.overrun);
  EXPECT_EQ(slot(1).host.read.load(), 1u);
  slot(1).ring.count = 2;
  const RingView second = area_->take_events(1);
  ASSERT_EQ(second.events.size(), 1u);
  EXPECT_EQ(second.events[0].a, 11u);
  EXPECT_EQ(slot(1).host.read.load(), 2u);
  EXPECT_TRUE(area_->take_events(1).events.empty());
}

TEST_F(ControlAreaTest, GoesRoundTheRingAndPastTheEndOfItsCount) {
  const std::uint32_t capacity = layout_.ring_capacity(1);
  std::uint32_t written = 0;
  const auto write = [&](std::uint32_t events) {
    for (std::uint32_t i = 0; i < events; ++i, ++written)
      event(1, written % capacity).a = written;
    slot(1).ring.count = written;
  };
  std::uint32_t read = 0;
  for (const std::uint32_t events : {capacity, capacity - 1, 3u, capacity, 1u}) {
    write(events);
    const RingView view = area_->take_events(1);
    ASSERT_EQ(view.events.size(), events);
    EXPECT_FALSE(view.overrun);
    for (const abi::Event &one : view.events)
      EXPECT_EQ(one.a, read++);
  }
  // A guest that has run for very long: first it gets near the end of the count.
  slot(1).ring.count = written = UINT32_MAX - 1;
  EXPECT_TRUE(area_->take_events(1).overrun);
  read = written;
  write(5);
  const RingView view = area_->take_events(1);
  ASSERT_EQ(view.events.size(), 5u);
  EXPECT_EQ(view.events[0].a, UINT32_MAX - 1);
  EXPECT_EQ(view.events[4].a, 2u);
  EXPECT_EQ(slot(1).host.read.load(), 3u);
}

// From here on the guest lies.

TEST_F(ControlAreaTest, ACountBeyondTheCapacityIsSaidAndNothingIsTaken) {
  for (const std::uint32_t count : {layout_.ap_ring_capacity + 1, UINT32_MAX}) {
    slot(3).ring.count = count;
    const RingView view = area_->take_events(3);
    EXPECT_TRUE(view.events.empty());
    EXPECT_TRUE(view.overrun);
  }
}

TEST_F(ControlAreaTest, ACountThatGoesBackGivesNothingTwice) {
  slot(3).ring.count = 5;
  EXPECT_EQ(area_->take_events(3).events.size(), 5u);
  slot(3).ring.count = 2;
  const RingView second = area_->take_events(3);
  EXPECT_TRUE(second.events.empty());
  EXPECT_TRUE(second.overrun);
  EXPECT_TRUE(area_->take_events(3).events.empty());
}

TEST_F(ControlAreaTest, WhatTheGuestSaysHasBeenReadIsNotBelieved) {
  slot(3).ring.count = 5;
  EXPECT_EQ(area_->take_events(3).events.size(), 5u);
  slot(3).host.read = 0;
  slot(3).ring.count = 6;
  EXPECT_EQ(area_->take_events(3).events.size(), 1u);
}

TEST_F(ControlAreaTest, AddressesAndCapacitiesThatTheGuestWritesAreNotUsed) {
  slot(1).host.ring = UINT64_MAX - 7;
  slot(1).host.ring_capacity = UINT32_MAX;
  slot(1).ring.count = UINT32_MAX;
  memory_.at<abi::ControlPage>(layout_.page)->request.slots = UINT64_MAX;
  memory_.at<abi::ControlPage>(layout_.page)->request.cpus = UINT32_MAX;
  EXPECT_TRUE(area_->take_events(1).overrun);
  slot(1).ring.count = UINT32_MAX + layout_.ap_ring_capacity;
  EXPECT_EQ(area_->take_events(1).events.size(), layout_.ap_ring_capacity);
  EXPECT_EQ(area_->cpus(), kCpus);
}

TEST_F(ControlAreaTest, AnyBitsAreAWordThatCanBeShown) {
  slot(1).sync.word = UINT64_MAX;
  EXPECT_EQ(area_->word_bits(1), UINT64_MAX);
  EXPECT_FALSE(abi::Word::is_valid(area_->sync(1).word));
}

TEST_F(ControlAreaTest, StepNamesBecomePrintable) {
  auto *page = memory_.at<abi::ControlPage>(layout_.page);
  page->steps[0].section = 1;
  std::memset(page->steps[0].name, 'x', sizeof page->steps[0].name); // no terminator
  page->steps[3].section = 255;
  std::memcpy(page->steps[3].name, "a\x1b[2J\n\xff", 7);
  const auto steps = area_->steps();
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].name, std::string(23, 'x'));
  EXPECT_EQ(steps[1].name, "a?[2J??");
  EXPECT_EQ(steps[1].section, 255);
}

TEST_F(ControlAreaTest, RangesThatTheGuestKeepsAreThoseThatCanBe) {
  auto *page = memory_.at<abi::ControlPage>(layout_.page);
  for (const auto &range : area_->kept())
    EXPECT_FALSE(range) << "nothing was said yet";
  page->kept[static_cast<std::size_t>(abi::Keep::kTrampolines)] = {0x10000, 0x8000};
  page->kept[static_cast<std::size_t>(abi::Keep::kIdMap)] = {UINT64_MAX, 2}; // wraps
  page->kept[static_cast<std::size_t>(abi::Keep::kParkStacks)] = {UINT64_MAX - 1, 1};
  const KeptRanges kept = area_->kept();
  EXPECT_EQ(kept[static_cast<std::size_t>(abi::Keep::kTrampolines)], (GuestRange{0x10000, 0x18000}));
  EXPECT_FALSE(kept[static_cast<std::size_t>(abi::Keep::kIdMap)]);
  EXPECT_FALSE(kept[static_cast<std::size_t>(abi::Keep::kCode)]);
  EXPECT_TRUE(kept[static_cast<std::size_t>(abi::Keep::kParkStacks)]); // whether it is RAM is another matter
}

TEST_F(ControlAreaTest, AWhollyOverwrittenAreaIsReadWithoutHarm) {
  const auto bytes = memory_.bytes(layout_.range.begin, layout_.range.size()).value();
  std::memset(bytes.data(), 0xff, bytes.size());
  for (CpuIndex cpu = 0; cpu < kCpus; ++cpu) {
    EXPECT_TRUE(area_->take_events(cpu).overrun);
    EXPECT_EQ(area_->sync(cpu).apic_id, UINT32_MAX);
  }
  EXPECT_EQ(area_->steps().size(), abi::kMaxSteps);
  EXPECT_FALSE(area_->kept()[0]);
  EXPECT_EQ(area_->report().refusal, UINT32_MAX);
}

TEST_F(ControlAreaTest, WritesAWordAndSaysWhatItWas) {
  slot(2).sync.word = abi::Word{7, abi::State::kStarting, 2}.bits();
  const std::uint64_t before = abi::Word{7, abi::State::kStarting, 2}.bits();
  EXPECT_EQ(area_->flip_word(2, 0x1'0001), before);
  EXPECT_EQ(area_->word_bits(2), before ^ 0x1'0001);
  EXPECT_EQ(area_->put_word(2, 42), before ^ 0x1'0001);
  EXPECT_EQ(area_->word_bits(2), 42u);
  EXPECT_EQ(area_->word_bits(1), 0u);
}

TEST_F(ControlAreaTest, GarbageIsOneMoreEventIfThereIsRoom) {
  slot(1).ring.count = 2;
  area_->put_garbage(1);
  EXPECT_EQ(slot(1).ring.count.load(), 3u);
  const RingView view = area_->take_events(1);
  ASSERT_EQ(view.events.size(), 3u);
  EXPECT_EQ(view.events[2].kind, abi::kGarbageEvent.kind);
  slot(1).ring.count = 3 + layout_.ring_capacity(1); // full
  area_->put_garbage(1);
  EXPECT_EQ(slot(1).ring.count.load(), 3 + layout_.ring_capacity(1));
}

/// CPU 1 is not listed, so that the guest's CPU 1 is the scenario's CPU 2; and that one's TSC is ahead.
TEST_F(ControlAreaTest, TheGuestsNumbersStayInside) {
  FaultSpec unlisted;
  unlisted.cpus = {1};
  unlisted.at = {"firmware", FirmwarePlace{}};
  unlisted.action = Action::kUnlisted;
  FaultSpec skew = unlisted;
  skew.cpus = {2};
  skew.action = Action::kSkew;
  skew.skew_us = 500;
  scenario_.faults = {unlisted, skew};
  area_ = ControlArea::create(memory_, layout_, scenario_, {2'000'000, 1'000'000'000});
  ASSERT_TRUE(area_);
  EXPECT_EQ(memory_.at<abi::ControlPage>(layout_.page)->request.max_cpus, 2u);
  slot(1).sync.word = abi::Word{7, abi::State::kActive, 0}.bits();
  slot(1).sync.control = 2;
  EXPECT_EQ(area_->word(2).attempt, 7u);
  EXPECT_EQ(area_->sync(2).control, 3u);
  EXPECT_EQ(area_->word(1).attempt, 0u);
  area_->arm(2, abi::Place::kAlive);
  EXPECT_NE(slot(1).host.armed.load(), 0u);
  area_->answer_step(2, -5);
  EXPECT_EQ(slot(1).host.step_error.load(), -5);
  event(1, 0) = {};
  event(1, 0).tsc = 3'000'000;
  event(1, 0).cpu = 1;
  slot(1).ring.count = 1;
  const RingView view = area_->take_events(2);
  ASSERT_EQ(view.events.size(), 1u);
  EXPECT_EQ(view.events[0].cpu, 2u);
  EXPECT_EQ(view.events[0].tsc, 2'000'000u); // a million ticks are 500 us
  EXPECT_TRUE(area_->take_events(1).events.empty());
}

} // namespace
} // namespace reveille::vmm
