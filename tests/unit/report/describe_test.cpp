#include "vmm/report/describe.hpp"

#include "core/protocol/points.hpp"
#include "tests/unit/report/story.hpp"
#include "vmm/base/printable.hpp"
#include "vmm/report/style.hpp"

#include <gtest/gtest.h>

#include <random>

namespace reveille::vmm {
namespace {

using abi::EventKind;
using abi::State;
using abi::Word;

StepNames names() {
  StepNames steps;
  steps.names[2] = {"areas", "mtrr"};
  return steps;
}

std::string say(EventKind kind, std::uint64_t a, std::uint64_t b) {
  return describe(story::event(1, 3, kind, a, b), names());
}

TEST(Describe, Moves) {
  EXPECT_EQ(say(EventKind::kMoved, Word{1, State::kClaimed}.bits(), Word{1, State::kAlive}.bits()),
            "claimed -> alive");
  EXPECT_EQ(say(EventKind::kMoved, Word{1, State::kStarting, 1}.bits(), Word{1, State::kStarting, 2}.bits()),
            "starting, step 1 -> starting, step 2");
  EXPECT_EQ(say(EventKind::kMoved, Word{1, State::kAbandoned}.bits(), Word{2, State::kKicked}.bits()),
            "attempt 1, abandoned -> attempt 2, kicked");
}

TEST(Describe, Steps) {
  EXPECT_EQ(say(EventKind::kStepEnter, 1, 2), "STARTING step \"mtrr\" begins");
  EXPECT_EQ(say(EventKind::kStepDone, 1, abi::step_result(2, 0)), "STARTING step \"mtrr\" done");
  EXPECT_EQ(say(EventKind::kStepDone, 0, abi::step_result(2, -11)),
            "STARTING step \"areas\" failed with error -11");
  EXPECT_EQ(say(EventKind::kStepEnter, 7, 2), "STARTING step 7 begins");
  EXPECT_EQ(say(EventKind::kStepEnter, 7, 9), "step 7 of no section (9) begins");
}

TEST(Describe, Failures) {
  EXPECT_EQ(say(EventKind::kFailed, Word{1, State::kStarting, 1}.bits(),
                abi::failed(abi::FailReason::kError, 2, 1, -5)),
            "failed: STARTING step \"mtrr\" failed with error -5; last word attempt 1, starting, step 1");
  EXPECT_EQ(say(EventKind::kPanic, 0x1000, 14 | (1U << 8)),
            "panic: vector 14, error 0x0, rip 0x1000, on the way to started");
  EXPECT_EQ(say(EventKind::kTscServed, static_cast<std::uint64_t>(-30), 12),
            "TSC rendezvous over, skew -30 ticks +- 12");
}

TEST(Describe, EveryKindIsTold) {
  for (unsigned kind = 0; kind < 256; ++kind) {
    const std::string text = say(static_cast<EventKind>(kind), 0, 0);
    EXPECT_EQ(text.find("unknown kind") != std::string::npos,
              kind >= static_cast<unsigned>(EventKind::kCount))
        << kind << ": " << text;
  }
}

TEST(Describe, GarbageIsDescribedToo) {
  StepNames steps;
  for (auto &section : steps.names)
    section = {"\033[2J\xff", "", "\n"};
  std::mt19937_64 random(1); // NOLINT(cert-msc51-cpp): the same garbage each time
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t narrow = random() % 4;
    abi::Event event{};
    event.tsc = random();
    event.attempt = static_cast<std::uint32_t>(random());
    event.cpu = static_cast<std::uint32_t>(random());
    event.kind = static_cast<EventKind>(random());
    event.a = i % 2 != 0 ? narrow : random();
    event.b = i % 3 != 0 ? narrow : random();
    const std::string text = describe(event, steps);
    ASSERT_FALSE(text.empty());
    ASSERT_EQ(text, printable(text));
  }
}

} // namespace
} // namespace reveille::vmm
