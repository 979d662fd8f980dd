// The timer: SDM 3, 11.5.4 "APIC Timer".
#include "bench.hpp"

#include <limits>

namespace reveille::vmm::lapic::test {
namespace {

constexpr std::uint8_t kVector = 0xe8;
constexpr std::uint32_t kBy1 = 0xb;
constexpr std::uint32_t kPeriodic = 1u << 17;
constexpr std::uint32_t kDeadline = 2u << 17;

class LapicTimer : public testing::Test {
protected:
  LapicTimer() { cpu().set(Register::kDivideConfiguration, kBy1); }
  Cpu &cpu() { return bench[0]; }
  /// Whether the timer's interrupt is there; it is served.
  bool fires() {
    const bool has = cpu().serve() == kVector;
    if (has)
      cpu().set(Register::kEoi, 0);
    return has;
  }
  void arm(std::uint64_t deadline) { ASSERT_TRUE(cpu().lapic.write_msr(kMsrTscDeadline, deadline)); }
  std::uint64_t armed() { return cpu().lapic.read_msr(kMsrTscDeadline).value_or(77); }

  Bench bench{1};
};

TEST_F(LapicTimer, OneShotFiresOnce) {
  cpu().set(Register::kLvtTimer, kVector);
  cpu().set(Register::kInitialCount, 1000);
  EXPECT_EQ(cpu().lapic.due_ns(), bench.clock.ns + 1000);
  bench.clock.ns += 999;
  EXPECT_FALSE(fires());
  bench.clock.ns += 1;
  EXPECT_TRUE(fires());
  bench.clock.ns += 10'000;
  EXPECT_FALSE(fires());
  EXPECT_EQ(cpu().lapic.due_ns(), std::nullopt);
}

TEST_F(LapicTimer, TheCurrentCountCountsDown) {
  cpu().set(Register::kLvtTimer, kVector);
  cpu().set(Register::kInitialCount, 1000);
  EXPECT_EQ(cpu().get(Register::kCurrentCount), 1000u);
  bench.clock.ns += 300;
  EXPECT_EQ(cpu().get(Register::kCurrentCount), 700u);
  bench.clock.ns += 800;
  EXPECT_EQ(cpu().get(Register::kCurrentCount), 0u);
  EXPECT_EQ(cpu().get(Register::kInitialCount), 1000u);
}

TEST_F(LapicTimer, AnInitialCountOf0Stops) {
  cpu().set(Register::kLvtTimer, kVector);
  cpu().set(Register::kInitialCount, 1000);
  cpu().set(Register::kInitialCount, 0);
  EXPECT_EQ(cpu().get(Register::kCurrentCount), 0u);
  bench.clock.ns += 10'000;
  EXPECT_FALSE(fires());
}

TEST_F(LapicTimer, AnotherInitialCountStartsAnew) {
  cpu().set(Register::kLvtTimer, kVector);
  cpu().set(Register::kInitialCount, 1000);
  bench.clock.ns += 900;
  cpu().set(Register::kInitialCount, 500);
  bench.clock.ns += 499;
  EXPECT_FALSE(fires());
  bench.clock.ns += 1;
  EXPECT_TRUE(fires());
}

// Figure 11-10 "Divide Configuration Register"
TEST_F(LapicTimer, Divides) {
  struct Row {
    std::uint32_t value;
    std::uint64_t by;
  };
  for (const Row &row : {Row{0x0, 2}, Row{0x1, 4}, Row{0x2, 8}, Row{0x3, 16}, Row{0x8, 32}, Row{0x9, 64},
                         Row{0xa, 128}, Row{0xb, 1}}) {
    cpu().set(Register::kDivideConfiguration, row.value);
    EXPECT_EQ(cpu().get(Register::kDivideConfiguration), row.value);
    cpu().set(Register::kLvtTimer, kVector);
    cpu().set(Register::kInitialCount, 1000);
    EXPECT_EQ(cpu().lapic.due_ns(), bench.clock.ns + 1000 * row.by);
    bench.clock.ns += 400 * row.by;
    EXPECT_EQ(cpu().get(Register::kCurrentCount), 600u);
  }
}

TEST_F(LapicTimer, AnotherDivisorGoesOnFromTheCount) {
  cpu().set(Register::kLvtTimer, kVector);
  cpu().set(Register::kInitialCount, 1000);
  bench.clock.ns += 400;
  cpu().set(Register::kDivideConfiguration, 0x0); // by 2
  EXPECT_EQ(cpu().get(Register::kCurrentCount), 600u);
  EXPECT_EQ(cpu().lapic.due_ns(), bench.clock.ns + 1200);
}

TEST_F(LapicTimer, PeriodicReloads) {
  constexpr std::uint32_t kPeriod = 1'000'000;
  cpu().set(Register::kLvtTimer, kPeriodic | kVector);
  cpu().set(Register::kInitialCount, kPeriod);
  const std::uint64_t start = bench.clock.ns;
  for (unsigned i = 1; i <= 3; ++i) {
    bench.clock.ns = start + std::uint64_t{i} * kPeriod - 1;
    EXPECT_FALSE(fires());
    bench.clock.ns += 1;
    EXPECT_TRUE(fires()) << i;
    EXPECT_EQ(cpu().get(Register::kCurrentCount), kPeriod);
  }
}

// However many periods have gone by, IRR holds one; and the phase stays
TEST_F(LapicTimer, MissedPeriodsAreOneInterrupt) {
  constexpr std::uint32_t kPeriod = 1'000'000;
  cpu().set(Register::kLvtTimer, kPeriodic | kVector);
  cpu().set(Register::kInitialCount, kPeriod);
  const std::uint64_t start = bench.clock.ns;
  bench.clock.ns = start + 1000 * std::uint64_t{kPeriod} + 300'000;
  EXPECT_TRUE(fires());
  EXPECT_FALSE(fires());
  EXPECT_EQ(cpu().lapic.due_ns(), start + 1001 * std::uint64_t{kPeriod});
  EXPECT_EQ(cpu().get(Register::kCurrentCount), 700'000u);
}

// The bound on what a guest can ask of its host
TEST_F(LapicTimer, AShortPeriodIsBounded) {
  cpu().set(Register::kLvtTimer, kPeriodic | kVector);
  cpu().set(Register::kInitialCount, 1);
  EXPECT_EQ(cpu().lapic.due_ns(), bench.clock.ns + Timer::kLeastPeriodNs);
  bench.clock.ns += Timer::kLeastPeriodNs;
  EXPECT_TRUE(fires());
  EXPECT_EQ(cpu().lapic.due_ns(), bench.clock.ns + Timer::kLeastPeriodNs);
}

// Nobody need be woken for an interrupt that would change nothing
TEST_F(LapicTimer, IsNotDueWhileItsInterruptIsPending) {
  cpu().set(Register::kLvtTimer, kPeriodic | kVector);
  cpu().set(Register::kInitialCount, 1'000'000);
  bench.clock.ns += 1'000'000;
  cpu().lapic.advance();
  EXPECT_EQ(cpu().lapic.due_ns(), std::nullopt);
  EXPECT_TRUE(fires());
  EXPECT_NE(cpu().lapic.due_ns(), std::nullopt);
}

// 11.5.1: masked, it counts and raises nothing; what has gone by does not come later
TEST_F(LapicTimer, MaskedItOnlyCounts) {
  cpu().set(Register::kLvtTimer, Lvt::kMask | kVector);
  cpu().set(Register::kInitialCount, 1000);
  EXPECT_EQ(cpu().lapic.due_ns(), std::nullopt);
  bench.clock.ns += 400;
  EXPECT_EQ(cpu().get(Register::kCurrentCount), 600u);
  bench.clock.ns += 1000;
  cpu().set(Register::kLvtTimer, kVector);
  EXPECT_FALSE(fires());
}

// 11.5.4.1 "TSC-Deadline Mode"
TEST_F(LapicTimer, DeadlineFiresByTheTscAndClearsItself) {
  cpu().set(Register::kLvtTimer, kDeadline | kVector);
  const std::uint64_t deadline = bench.clock.tsc() + 2001;
  arm(deadline);
  EXPECT_EQ(armed(), deadline);
  EXPECT_EQ(cpu().lapic.due_ns(), bench.clock.ns + 1001) << "never early";
  bench.clock.ns += 1000;
  EXPECT_FALSE(fires());
  bench.clock.ns += 1;
  EXPECT_EQ(armed(), 0u);
  EXPECT_TRUE(fires());
  bench.clock.ns += 10'000;
  EXPECT_FALSE(fires());
}

TEST_F(LapicTimer, ADeadlineInThePastFiresAtOnce) {
  cpu().set(Register::kLvtTimer, kDeadline | kVector);
  arm(1);
  EXPECT_TRUE(fires());
}

TEST_F(LapicTimer, ADeadlineOf0Disarms) {
  cpu().set(Register::kLvtTimer, kDeadline | kVector);
  arm(bench.clock.tsc() + 1000);
  arm(0);
  bench.clock.ns += 10'000;
  EXPECT_FALSE(fires());
}

// A slow TSC makes a time of it that no clock reaches, and that is no overflow
TEST(LapicTimerAlone, TheEndOfTimeIsNotThePast) {
  Timer timer;
  timer.set_mode(Timer::Mode::kTscDeadline);
  constexpr auto kLast = std::numeric_limits<std::uint64_t>::max();
  timer.set_deadline(kLast, 1000, 0, 1);
  EXPECT_EQ(timer.due_ns(), kLast);
  timer.set_deadline(kLast, 1000, 0, 1'000'000); // as many nanoseconds as ticks
  EXPECT_EQ(timer.due_ns(), kLast);
}

// What is due when the guest looks has come, though nobody has called advance()
TEST_F(LapicTimer, ReadingShowsWhatIsDue) {
  cpu().set(Register::kLvtTimer, kVector);
  cpu().set(Register::kInitialCount, 1000);
  bench.clock.ns += 1000;
  EXPECT_TRUE(cpu().has(Register::kInterruptRequest, kVector));
}

// And what was due before a write is raised by what was set before it
TEST_F(LapicTimer, AWriteDoesNotReachBack) {
  for (const bool is_x2apic : {false, true}) {
    if (is_x2apic)
      cpu().go_x2apic();
    cpu().set(Register::kLvtTimer, kVector);
    cpu().set(Register::kInitialCount, 1000);
    bench.clock.ns += 1000;
    cpu().set(Register::kLvtTimer, Lvt::kMask | kVector);
    EXPECT_TRUE(fires());
  }
}

// 11.5.4.1: the other mode's register is ignored, and reads as 0
TEST_F(LapicTimer, EachModeHasItsRegister) {
  arm(bench.clock.tsc() + 1000);
  EXPECT_EQ(armed(), 0u) << "in one-shot mode";
  cpu().set(Register::kLvtTimer, kDeadline | kVector);
  cpu().set(Register::kInitialCount, 1000);
  EXPECT_EQ(cpu().get(Register::kInitialCount), 0u);
  EXPECT_EQ(cpu().get(Register::kCurrentCount), 0u);
  bench.clock.ns += 10'000;
  EXPECT_FALSE(fires());
}

// 11.5.4.1: a change of mode disarms
TEST_F(LapicTimer, AChangeOfModeDisarms) {
  for (const std::uint32_t to : {kPeriodic, kDeadline}) {
    cpu().set(Register::kLvtTimer, kVector);
    cpu().set(Register::kInitialCount, 1000);
    cpu().set(Register::kLvtTimer, to | kVector);
    bench.clock.ns += 10'000;
    EXPECT_FALSE(fires()) << std::hex << to;
  }
  arm(bench.clock.tsc() + 1000);
  cpu().set(Register::kLvtTimer, Lvt::kMask | kDeadline | kVector); // no change of mode
  cpu().set(Register::kLvtTimer, kDeadline | kVector);
  EXPECT_NE(armed(), 0u);
  cpu().set(Register::kLvtTimer, kVector);
  cpu().set(Register::kLvtTimer, kDeadline | kVector);
  EXPECT_EQ(armed(), 0u);
}

// 11.4.7.3: an INIT stops it
TEST_F(LapicTimer, AnInitStopsIt) {
  cpu().set(Register::kLvtTimer, kVector);
  cpu().set(Register::kInitialCount, 1000);
  cpu().lapic.inbox().post({Delivery::kInit});
  static_cast<void>(cpu().lapic.take());
  cpu().enable();
  cpu().set(Register::kLvtTimer, kVector);
  bench.clock.ns += 10'000;
  EXPECT_FALSE(fires());
}

} // namespace
} // namespace reveille::vmm::lapic::test
