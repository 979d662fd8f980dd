// IA32_APIC_BASE, INIT, and what the two modes keep: SDM 3, 11.4, 11.12.
#include "bench.hpp"

namespace reveille::vmm::lapic::test {
namespace {

constexpr std::uint64_t kOff = ApicBase::kDefaultAddress;
constexpr std::uint64_t kXapic = kOff | ApicBase::kEnable;
constexpr std::uint64_t kX2apic = kXapic | ApicBase::kX2apic;

// 11.4.4 "Local APIC Status and Location"
TEST(LapicMode, StartsAsXapicAtTheDefaultAddress) {
  Bench bench(2);
  EXPECT_EQ(bench[0].lapic.base(), kXapic | ApicBase::kBsp);
  EXPECT_EQ(bench[1].lapic.base(), kXapic);
  EXPECT_EQ(bench[1].lapic.mode(), Mode::kXapic);
}

// 11.12.5 "x2APIC State Transitions", figure 11-27
TEST(LapicMode, Transitions) {
  struct Row {
    std::uint64_t from;
    std::uint64_t to;
    bool is_legal;
  };
  for (const Row &row :
       {Row{kXapic, kX2apic, true}, Row{kXapic, kOff, true}, Row{kX2apic, kOff, true},
        Row{kOff, kXapic, true}, Row{kX2apic, kXapic, false}, Row{kOff, kX2apic, false},
        Row{kXapic, kXapic, true}, Row{kX2apic, kX2apic, true}, Row{kOff, kOff, true},
        Row{kXapic, kOff | ApicBase::kX2apic, false}, Row{kX2apic, kOff | ApicBase::kX2apic, false}}) {
    Bench bench(1);
    Lapic &lapic = bench[0].lapic;
    if (row.from != kXapic) {
      ASSERT_TRUE(lapic.write_base(row.from));
    }
    ASSERT_EQ(lapic.write_base(row.to), row.is_legal) << std::hex << row.from << " to " << row.to;
    EXPECT_EQ(lapic.base(),
              row.is_legal ? row.to : (row.from == kXapic ? kXapic | ApicBase::kBsp : row.from));
  }
}

// 11.12.1: without the CPUID bit EXTD is reserved, and so are the bits around
TEST(LapicMode, ReservedBitsOfTheBase) {
  BenchClock clock;
  Bus bus(1);
  Lapic old({0, 0, true, false}, bus, clock);
  EXPECT_FALSE(old.write_base(kX2apic));
  Bench bench(1);
  for (const unsigned bit : {0u, 7u, 9u, 52u, 63u})
    EXPECT_FALSE(bench[0].lapic.write_base(kXapic | 1ull << bit)) << bit;
}

// 11.4.5 "Relocating the Local APIC Registers"
TEST(LapicMode, ThePageMoves) {
  Bench bench(1);
  Lapic &lapic = bench[0].lapic;
  EXPECT_TRUE(lapic.is_at(0xfee00000) && lapic.is_at(0xfee00fff));
  EXPECT_FALSE(lapic.is_at(0xfee01000) || lapic.is_at(0xfedfffff));
  ASSERT_TRUE(lapic.write_base(0xd0000000 | ApicBase::kEnable));
  EXPECT_TRUE(lapic.is_at(0xd0000020));
  EXPECT_FALSE(lapic.is_at(0xfee00020));
}

// 11.12.2: in x2APIC mode, and disabled, there is no page; out of x2APIC mode there are no MSRs
TEST(LapicMode, EachModeHasItsOwnWay) {
  Bench bench(1);
  Lapic &lapic = bench[0].lapic;
  EXPECT_FALSE(lapic.read_msr(Cpu::msr(Register::kId)));
  EXPECT_FALSE(lapic.write_msr(Cpu::msr(Register::kTaskPriority), 0));
  bench[0].go_x2apic();
  EXPECT_FALSE(lapic.is_at(0xfee00020));
  EXPECT_TRUE(lapic.read_msr(Cpu::msr(Register::kId)));
  ASSERT_TRUE(lapic.write_base(kOff));
  EXPECT_FALSE(lapic.is_at(0xfee00020));
  EXPECT_FALSE(lapic.read_msr(Cpu::msr(Register::kId)));
}

// 11.12.5.1: the registers come along; the ID has 32 bits now
TEST(LapicMode, GoingToX2apicKeepsTheRegisters) {
  Bench bench(1, false, 0x103);
  bench[0].set(Register::kTaskPriority, 0x30);
  bench[0].set(Register::kLvtError, 0xfe);
  EXPECT_EQ(bench[0].get(Register::kId), 0x03000000u);
  bench[0].go_x2apic();
  EXPECT_EQ(bench[0].get(Register::kId), 0x103u);
  EXPECT_EQ(bench[0].get(Register::kTaskPriority), 0x30u);
  EXPECT_EQ(bench[0].get(Register::kLvtError), 0xfeu);
}

struct Expected {
  Register reg;
  std::uint64_t value;
};
constexpr Expected kAtReset[] = {
    {Register::kTaskPriority, 0},
    {Register::kLogicalDestination, 0},
    {Register::kDestinationFormat, 0xffffffff},
    {Register::kSpuriousVector, 0xff},
    {Register::kErrorStatus, 0},
    {Register::kIcrLow, 0},
    {Register::kIcrHigh, 0},
    {Register::kLvtTimer, Lvt::kMask},
    {Register::kLvtThermal, Lvt::kMask},
    {Register::kLvtPerformance, Lvt::kMask},
    {Register::kLvtLint0, Lvt::kMask},
    {Register::kLvtLint1, Lvt::kMask},
    {Register::kLvtError, Lvt::kMask},
    {Register::kInitialCount, 0},
    {Register::kCurrentCount, 0},
    {Register::kDivideConfiguration, 0},
};

void expect_reset(Cpu &cpu) {
  for (const Expected &row : kAtReset)
    EXPECT_EQ(cpu.get(row.reg), row.value) << "register " << std::hex << static_cast<std::uint32_t>(row.reg);
  for (const std::uint8_t vector : {std::uint8_t{0x41}, std::uint8_t{0x52}}) {
    EXPECT_FALSE(cpu.has(Register::kInService, vector));
    EXPECT_FALSE(cpu.has(Register::kInterruptRequest, vector));
    EXPECT_FALSE(cpu.has(Register::kTriggerMode, vector));
  }
}

void use(Cpu &cpu) {
  cpu.set(Register::kTaskPriority, 0x20);
  cpu.set(Register::kLogicalDestination, 0x01000000);
  cpu.set(Register::kDestinationFormat, 0);
  cpu.set(Register::kDivideConfiguration, 0xb);
  cpu.set(Register::kLvtTimer, 0xe8);
  cpu.set(Register::kInitialCount, 1000);
  for (const Register lvt : {Register::kLvtThermal, Register::kLvtPerformance, Register::kLvtLint0,
                             Register::kLvtLint1, Register::kLvtError})
    cpu.set(lvt, 0x70);
  cpu.send(0xfe, kAssert | 0x40);
  cpu.lapic.inbox().post({Delivery::kFixed, 0x41, true});
  EXPECT_EQ(cpu.serve(), 0x41);
  cpu.lapic.inbox().post({Delivery::kFixed, 0x52, true});
  static_cast<void>(cpu.lapic.take());
}

// 11.4.7.1 "Local APIC State After Power-Up or Reset"
TEST(LapicMode, PowerUp) {
  BenchClock clock;
  Bus bus(1);
  Cpu cpu({0, 0, true, true}, bus, clock);
  expect_reset(cpu);
}

// 11.4.7.3 "Local APIC State After an INIT Reset": all but the ID, and IA32_APIC_BASE
TEST(LapicMode, AnInitResets) {
  Bench bench(1, false, 5);
  use(bench[0]);
  ASSERT_TRUE(bench[0].lapic.write_base(0xd0000000 | ApicBase::kEnable));
  bench[0].lapic.inbox().post({Delivery::kInit});
  EXPECT_TRUE(bench[0].lapic.take().init);
  EXPECT_TRUE(bench[0].lapic.is_at(0xd0000000));
  expect_reset(bench[0]);
  EXPECT_EQ(bench[0].get(Register::kId), 5u << 24);
}

// 11.12.5.1 "x2APIC States": an INIT keeps the mode
TEST(LapicMode, AnInitKeepsX2apicMode) {
  Bench bench(1, true, 5);
  bench[0].lapic.inbox().post({Delivery::kInit});
  EXPECT_TRUE(bench[0].lapic.take().init);
  EXPECT_EQ(bench[0].lapic.mode(), Mode::kX2apic);
  EXPECT_EQ(bench[0].get(Register::kId), 5u);
  EXPECT_EQ(bench[0].get(Register::kLogicalDestination), 1u << 5);
}

// 11.4.3: after it was disabled it is as after power-up
TEST(LapicMode, DisablingForgets) {
  Bench bench(1);
  use(bench[0]);
  ASSERT_TRUE(bench[0].lapic.write_base(kOff));
  ASSERT_TRUE(bench[0].lapic.write_base(kXapic));
  expect_reset(bench[0]);
}

// A device's interrupt that was on its way when it was disabled is not delivered
TEST(LapicMode, DisabledDeliversNothing) {
  Bench bench(1);
  bench[0].lapic.inbox().post({Delivery::kFixed, 0x41});
  ASSERT_TRUE(bench[0].lapic.write_base(kOff));
  EXPECT_EQ(bench[0].serve(), 0);
}

} // namespace
} // namespace reveille::vmm::lapic::test
