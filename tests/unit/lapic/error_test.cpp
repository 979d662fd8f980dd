// Errors: SDM 3, 11.5.3 "Error Handling".
#include "bench.hpp"

namespace reveille::vmm::lapic::test {
namespace {

constexpr std::uint8_t kErrorVector = 0xfd;

std::uint64_t latched(Cpu &cpu) {
  cpu.set(Register::kErrorStatus, 0);
  return cpu.get(Register::kErrorStatus);
}

// A write latches what has come since the last one
TEST(LapicError, AWriteLatches) {
  Bench bench(1);
  bench[0].send(0, kAssert | 0x0f);
  EXPECT_EQ(bench[0].get(Register::kErrorStatus), 0u) << "not before the write";
  EXPECT_EQ(latched(bench[0]), ErrorStatus::kSendIllegalVector);
  EXPECT_EQ(bench[0].get(Register::kErrorStatus), ErrorStatus::kSendIllegalVector)
      << "reading clears nothing";
  EXPECT_EQ(latched(bench[0]), 0u);
}

// Bit 5: by the ICR, for the modes that have a vector; and it is not sent
TEST(LapicError, SendIllegalVector) {
  for (const std::uint32_t mode : {kFixed, kLowest}) {
    Bench bench(2);
    bench[0].send(1, kAssert | mode | 0x0f);
    EXPECT_EQ(latched(bench[0]), ErrorStatus::kSendIllegalVector);
    EXPECT_EQ(bench.reached(), Indices{});
    EXPECT_EQ(latched(bench[1]), 0u);
  }
  Bench bench(2);
  bench[0].send(1, kAssert | kInit);
  bench[0].send(1, kAssert | kStartup | 1);
  EXPECT_EQ(latched(bench[0]), 0u);
  bench[0].send(1, kAssert | 0x10);
  EXPECT_EQ(latched(bench[0]), 0u) << "16 is legal";
}

// Bit 5: by SELF IPI too
TEST(LapicError, SelfIpiWithAnIllegalVector) {
  Bench bench(1, true);
  bench[0].set(Register::kSelfIpi, 0x0f);
  EXPECT_EQ(latched(bench[0]), ErrorStatus::kSendIllegalVector);
  EXPECT_EQ(bench[0].serve(), 0);
}

// Bit 6: in a message; IRR never has such a bit
TEST(LapicError, ReceiveIllegalVector) {
  Bench bench(1);
  bench[0].lapic.inbox().post({Delivery::kFixed, 0x0f});
  EXPECT_EQ(bench[0].serve(), 0);
  EXPECT_FALSE(bench[0].has(Register::kInterruptRequest, 0x0f));
  EXPECT_EQ(latched(bench[0]), ErrorStatus::kReceiveIllegalVector);
}

// Bit 6: from the LVT
TEST(LapicError, ALocalInterruptWithAnIllegalVector) {
  Bench bench(1);
  bench[0].set(Register::kLvtTimer, 0x0f);
  bench[0].set(Register::kInitialCount, 10);
  bench.clock.ns += 100;
  EXPECT_EQ(bench[0].serve(), 0);
  EXPECT_EQ(latched(bench[0]), ErrorStatus::kReceiveIllegalVector);
}

// Bit 7: a reserved register, in xAPIC mode
TEST(LapicError, IllegalRegister) {
  for (const std::uint32_t offset : {0x000u, 0x010u, 0x040u, 0x2f0u, 0x3a0u, 0x3f0u, 0x400u, 0xff0u}) {
    Bench bench(1);
    EXPECT_EQ(bench[0].lapic.read_mmio(ApicBase::kDefaultAddress + offset, 4), 0u);
    EXPECT_EQ(latched(bench[0]), ErrorStatus::kIllegalRegister) << std::hex << offset;
    bench[0].lapic.write_mmio(ApicBase::kDefaultAddress + offset, 4, 0);
    EXPECT_EQ(latched(bench[0]), ErrorStatus::kIllegalRegister) << std::hex << offset;
  }
  Bench bench(1);
  static_cast<void>(bench[0].get(Register::kEoi)); // only writable, but there
  bench[0].set(Register::kVersion, 0);
  EXPECT_EQ(latched(bench[0]), 0u);
}

// Errors add up
TEST(LapicError, SeveralAreKept) {
  Bench bench(1);
  bench[0].send(0, kAssert | 1);
  static_cast<void>(bench[0].lapic.read_mmio(ApicBase::kDefaultAddress, 4));
  EXPECT_EQ(latched(bench[0]), ErrorStatus::kSendIllegalVector | ErrorStatus::kIllegalRegister);
}

// The error interrupt: once, until a write to ESR arms it again
TEST(LapicError, Interrupts) {
  Bench bench(1);
  bench[0].set(Register::kLvtError, kErrorVector);
  bench[0].send(0, kAssert | 1);
  EXPECT_EQ(bench[0].serve(), kErrorVector);
  bench[0].set(Register::kEoi, 0);
  bench[0].send(0, kAssert | 2);
  EXPECT_EQ(bench[0].serve(), 0);
  EXPECT_EQ(latched(bench[0]), ErrorStatus::kSendIllegalVector);
  bench[0].send(0, kAssert | 3);
  EXPECT_EQ(bench[0].serve(), kErrorVector);
}

// 11.4.7.3: an INIT forgets them
TEST(LapicError, AnInitArmsAgain) {
  Bench bench(1);
  bench[0].send(0, kAssert | 1);
  bench[0].lapic.inbox().post({Delivery::kInit});
  static_cast<void>(bench[0].lapic.take());
  bench[0].enable();
  bench[0].set(Register::kLvtError, kErrorVector);
  bench[0].send(0, kAssert | 2);
  EXPECT_EQ(bench[0].serve(), kErrorVector);
}

TEST(LapicError, AMaskedErrorInterruptIsNone) {
  Bench bench(1);
  bench[0].set(Register::kLvtError, Lvt::kMask | kErrorVector);
  bench[0].send(0, kAssert | 1);
  EXPECT_EQ(bench[0].serve(), 0);
  EXPECT_EQ(latched(bench[0]), ErrorStatus::kSendIllegalVector);
}

// An error entry that is an error itself ends there
TEST(LapicError, AnIllegalErrorVectorDoesNotRecur) {
  Bench bench(1);
  bench[0].set(Register::kLvtError, 0x0f);
  bench[0].send(0, kAssert | 1);
  EXPECT_EQ(bench[0].serve(), 0);
  EXPECT_EQ(latched(bench[0]), ErrorStatus::kSendIllegalVector | ErrorStatus::kReceiveIllegalVector);
}

} // namespace
} // namespace reveille::vmm::lapic::test
