// Whom an IPI reaches: SDM 3, 11.6.2 and 11.12.9, 11.12.10.
#include "bench.hpp"

namespace reveille::vmm::lapic::test {
namespace {

constexpr std::uint32_t kIpi = kAssert | 0x40;

// 11.6.2.1 "Physical Destination Mode"
TEST(LapicDestination, PhysicalIsTheId) {
  Bench bench(4);
  bench[0].send(2, kIpi);
  EXPECT_EQ(bench.reached(), Indices{2});
  bench[0].send(9, kIpi);
  EXPECT_EQ(bench.reached(), Indices{});
}

// 11.6.2.1: a broadcast is 0xff
TEST(LapicDestination, PhysicalAllOnesIsEverybody) {
  Bench bench(3);
  bench[1].send(0xff, kIpi);
  EXPECT_EQ(bench.reached(), (Indices{0, 1, 2}));
}

// 11.12.9: 32 bits in x2APIC mode; 0xff is an ID like any other, all ones the broadcast
TEST(LapicDestination, X2apicHas32BitIds) {
  Bench bench(3, true, 254);
  bench[0].send(255, kIpi);
  EXPECT_EQ(bench.reached(), Indices{1});
  bench[0].send(256, kIpi);
  EXPECT_EQ(bench.reached(), Indices{2});
  bench[0].send(0xffffffff, kIpi);
  EXPECT_EQ(bench.reached(), (Indices{0, 1, 2}));
}

// 11.6.2.2 "Logical Destination Mode", flat model
TEST(LapicDestination, FlatModelIsABitEach) {
  Bench bench(4);
  for (std::size_t i = 0; i < 4; ++i)
    bench[i].set(Register::kLogicalDestination, 1u << (24 + i));
  bench[0].send(0b0110, kIpi | kLogical);
  EXPECT_EQ(bench.reached(), (Indices{1, 2}));
  bench[0].send(0xff, kIpi | kLogical);
  EXPECT_EQ(bench.reached(), (Indices{0, 1, 2, 3}));
}

// 11.6.2.2, cluster model: the upper half is the cluster, the lower one a bit each
TEST(LapicDestination, ClusterModelIsAClusterAndABitEach) {
  Bench bench(4);
  for (std::size_t i = 0; i < 4; ++i) {
    bench[i].set(Register::kDestinationFormat, 0);
    bench[i].set(Register::kLogicalDestination, ((i / 2) << 4 | 1u << (i % 2)) << 24);
  }
  bench[0].send(0x13, kIpi | kLogical);
  EXPECT_EQ(bench.reached(), (Indices{2, 3}));
  bench[0].send(0x02, kIpi | kLogical);
  EXPECT_EQ(bench.reached(), Indices{1});
}

// 11.6.2.2, figure 11-14: only the model's four bits are the DFR's
TEST(LapicDestination, DfrKeepsTheRestAtOnes) {
  Bench bench(1);
  EXPECT_EQ(bench[0].get(Register::kDestinationFormat), 0xffffffff);
  bench[0].set(Register::kDestinationFormat, 0);
  EXPECT_EQ(bench[0].get(Register::kDestinationFormat), 0x0fffffff);
}

// 11.12.10.2 "Deriving Logical x2APIC ID from the Local x2APIC ID"
TEST(LapicDestination, X2apicDerivesItsLdr) {
  Bench bench(3, true, 0x21);
  EXPECT_EQ(bench[0].get(Register::kLogicalDestination), 0x0002'0002u);
  bench[0].send(0x0002'000c, kIpi | kLogical); // 0x22 and 0x23
  EXPECT_EQ(bench.reached(), (Indices{1, 2}));
  bench[0].send(0x0003'ffff, kIpi | kLogical);
  EXPECT_EQ(bench.reached(), Indices{});
}

// 11.6.2.4 "Lowest Priority Delivery Mode": one of them, the one with the lowest task priority
TEST(LapicDestination, LowestPriorityReachesOne) {
  Bench bench(4);
  for (std::size_t i = 0; i < 4; ++i) {
    bench[i].set(Register::kLogicalDestination, 0x01000000);
    bench[i].set(Register::kTaskPriority, i == 2 ? 0x30 : 0x50);
  }
  bench[3].send(1, kIpi | kLowest | kLogical);
  EXPECT_EQ(bench.reached(), Indices{2});
}

// 11.6.1, destination shorthand
TEST(LapicDestination, Shorthands) {
  Bench bench(4);
  bench[1].send(3, kIpi | kToSelf);
  EXPECT_EQ(bench.reached(), Indices{1});
  bench[1].send(3, kIpi | kToAll);
  EXPECT_EQ(bench.reached(), (Indices{0, 1, 2, 3}));
  bench[1].send(3, kIpi | kToOthers);
  EXPECT_EQ(bench.reached(), (Indices{0, 2, 3}));
}

// 11.6.1 with 11.6.2.4: the lowest of all but the sender, though that one is lower still
TEST(LapicDestination, LowestPriorityOfTheOthers) {
  Bench bench(3);
  bench[1].set(Register::kTaskPriority, 0x20);
  bench[2].set(Register::kTaskPriority, 0x10);
  bench[0].send(0, kIpi | kLowest | kToOthers);
  EXPECT_EQ(bench.reached(), Indices{2});
}

// 11.4.3 "Enabling or Disabling the Local APIC": one that is disabled by IA32_APIC_BASE is not there
TEST(LapicDestination, ADisabledLapicTakesNothing) {
  Bench bench(3);
  ASSERT_TRUE(bench[2].lapic.write_base(ApicBase::kDefaultAddress));
  bench[0].send(2, kInit | kAssert);
  bench[0].send(0xff, kInit | kAssert);
  bench[0].send(0, kInit | kAssert | kToOthers);
  EXPECT_EQ(bench.reached(), (Indices{0, 1}));
}

// 11.12.5.1: each LAPIC compares the ID of the mode that it is in
TEST(LapicDestination, ModesMeet) {
  Bench bench(3, false, 0xfe);
  bench[0].go_x2apic();
  bench[0].send(0xff, kIpi);
  EXPECT_EQ(bench.reached(), Indices{1});
  bench[2].go_x2apic();
  bench[0].send(0x100, kIpi);
  EXPECT_EQ(bench.reached(), Indices{2});
}

} // namespace
} // namespace reveille::vmm::lapic::test
