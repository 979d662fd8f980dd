// What the ICR sends, and what it does not: SDM 3, 11.6.1, 11.12.9, 11.12.11.
#include "bench.hpp"

#include <string>

namespace reveille::vmm::lapic::test {
namespace {

// 11.6.1: writing the lower half sends; the upper one alone does not
TEST(LapicIcr, TheLowerHalfSends) {
  Bench bench(2);
  bench[0].set(Register::kIcrHigh, 1u << 24);
  EXPECT_EQ(bench.reached(), Indices{});
  bench[0].set(Register::kIcrLow, kAssert | 0x40);
  EXPECT_EQ(bench.reached(), Indices{1});
}

// 11.6.1, figure 11-12: it reads back, idle
TEST(LapicIcr, ReadsBackWithoutReservedBitsAndIdle) {
  Bench bench(2);
  bench[0].set(Register::kIcrHigh, 0x01ffffff);
  bench[0].set(Register::kIcrLow, 0xfff0'7040); // reserved bits, delivery status, a vector
  EXPECT_EQ(bench[0].get(Register::kIcrHigh), 0x01000000u);
  EXPECT_EQ(bench[0].get(Register::kIcrLow), 0x4040u);
}

// 11.12.9 "ICR Operation in x2APIC Mode": one 64-bit MSR
TEST(LapicIcr, IsOneMsrInX2apicMode) {
  Bench bench(2, true);
  bench[0].send(1, kAssert | 0x40);
  EXPECT_EQ(bench[0].get(Register::kIcrLow), 0x1'0000'4040u);
  EXPECT_EQ(bench.reached(), Indices{1});
  EXPECT_FALSE(bench[0].lapic.read_msr(Cpu::msr(Register::kIcrHigh)));
  EXPECT_FALSE(bench[0].lapic.write_msr(Cpu::msr(Register::kIcrHigh), 0));
  for (const unsigned bit : {12u, 13u, 16u, 17u, 20u, 31u})
    EXPECT_FALSE(bench[0].lapic.write_msr(Cpu::msr(Register::kIcrLow), 1ull << bit)) << bit;
  EXPECT_EQ(bench.reached(), Indices{}) << "a #GP has sent nothing";
}

// The bus's own: whoever takes INITs and SIPIs in its place is asked for each, and for nothing else.
TEST(LapicIcr, AnInterceptorIsAskedForInitsAndSipisAlone) {
  Bench bench(3);
  std::vector<std::string> asked;
  bool takes = true;
  bench.bus.intercept([&](std::size_t sender, const Destination &to, const Message &message) {
    asked.push_back(std::to_string(sender) + ">" + std::to_string(to.id) + ":" +
                    std::to_string(static_cast<unsigned>(message.delivery)));
    return takes;
  });
  bench[0].send(1, kAssert | kInit);
  bench[1].send(2, kAssert | kStartup | 0x9a);
  EXPECT_EQ(bench.reached(), Indices{});
  takes = false;
  bench[0].send(2, kAssert | kInit);
  EXPECT_EQ(bench.reached(), Indices{2});
  bench[0].send(1, kAssert | kFixed | 0x40);
  bench[0].send(1, kAssert | kNmi);
  EXPECT_EQ(bench.reached(), Indices{1});
  EXPECT_EQ(asked, (std::vector<std::string>{"0>1:5", "1>2:6", "0>2:5"}));
}

Mail mail_for(std::uint32_t low) {
  Bench bench(2);
  bench[0].send(1, low);
  return bench[1].lapic.take();
}

// 11.6.1, delivery mode
TEST(LapicIcr, DeliveryModes) {
  EXPECT_TRUE(mail_for(kAssert | kFixed | 0x40).edge.has(0x40));
  EXPECT_TRUE(mail_for(kAssert | kLowest | 0x40).edge.has(0x40));
  EXPECT_TRUE(mail_for(kAssert | kNmi | 0x40).nmi);
  EXPECT_TRUE(mail_for(kAssert | kInit).init);
  EXPECT_EQ(mail_for(kAssert | kStartup | 0x9a).startup, 0x9a);
}

// Of a machine without system management mode; 11.6.1: 3 is reserved, 7 is no IPI
TEST(LapicIcr, SmiAndReservedModesAreNothing) {
  for (const std::uint32_t mode : {kSmi, 3u << 8, 7u << 8}) {
    Bench bench(2);
    bench[0].send(1, kAssert | mode | 0x40);
    EXPECT_EQ(bench.reached(), Indices{}) << std::hex << mode;
  }
}

// Table 11-3, note 2: INIT level de-assert is ignored; level and assert is an INIT
TEST(LapicIcr, InitDeassertIsIgnored) {
  EXPECT_FALSE(mail_for(kInit | kLevel).init);
  EXPECT_TRUE(mail_for(kInit | kLevel | kAssert).init);
  Bench bench(3);
  bench[0].send(0, kInit | kLevel | kToAll);
  EXPECT_EQ(bench.reached(), Indices{});
}

// Table 11-3, note 1: a level-triggered IPI is sent as an edge
TEST(LapicIcr, LevelBecomesEdge) {
  const Mail mail = mail_for(kAssert | kLevel | kFixed | 0x40);
  EXPECT_TRUE(mail.edge.has(0x40));
  EXPECT_FALSE(mail.level.has(0x40));
}

// Table 11-3: to itself, and to all with itself, only fixed is valid
TEST(LapicIcr, OnlyFixedComesBackToTheSender) {
  for (const std::uint32_t shorthand : {kToSelf, kToAll})
    for (const std::uint32_t mode : {kLowest, kNmi, kInit, kStartup}) {
      Bench bench(2);
      bench[0].send(0, kAssert | mode | shorthand | 0x40);
      EXPECT_EQ(bench.reached(), Indices{}) << std::hex << (mode | shorthand);
    }
  Bench bench(2);
  bench[0].send(0, kAssert | kInit | kToOthers);
  EXPECT_EQ(bench.reached(), Indices{1});
}

// 11.12.11 "SELF IPI Register"
TEST(LapicIcr, SelfIpiRegister) {
  Bench bench(2, true);
  bench[0].set(Register::kSelfIpi, 0x40);
  EXPECT_EQ(bench[0].serve(), 0x40);
  EXPECT_EQ(bench.reached(), Indices{});
  EXPECT_FALSE(bench[0].lapic.read_msr(Cpu::msr(Register::kSelfIpi)));
  EXPECT_FALSE(bench[0].lapic.write_msr(Cpu::msr(Register::kSelfIpi), 0x140));
}

} // namespace
} // namespace reveille::vmm::lapic::test
