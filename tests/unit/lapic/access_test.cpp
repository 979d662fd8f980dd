// Who may read and write which register, and how: SDM 3, 11.4.1, 11.12.1.
#include "bench.hpp"

#include <set>

namespace reveille::vmm::lapic::test {
namespace {

// 11.4.8 "Local APIC Version Register"
TEST(LapicAccess, Version) {
  Bench bench(1);
  EXPECT_EQ(bench[0].get(Register::kVersion) & 0xff, 0x14u);
  EXPECT_EQ(bench[0].get(Register::kVersion) >> 16 & 0xff, 5u) << "LVT entries less one";
}

// Table 11-6 "Local APIC Register Address Map Supported by x2APIC"
TEST(LapicAccess, X2apicMsrs) {
  const std::set<std::uint32_t> read_write = {0x808, 0x80f, 0x828, 0x830, 0x832, 0x833,
                                              0x834, 0x835, 0x836, 0x837, 0x838, 0x83e};
  std::set<std::uint32_t> read_only = {0x802, 0x803, 0x80a, 0x80d, 0x839};
  for (std::uint32_t msr = 0x810; msr < 0x828; ++msr)
    read_only.insert(msr);
  const std::set<std::uint32_t> write_only = {0x80b, 0x83f};
  for (std::uint32_t msr = 0x800; msr < 0x900; ++msr) {
    Bench bench(1, true);
    Lapic &lapic = bench[0].lapic;
    // What 0x83f sends has no legal vector, and 0x830 goes to nobody else: a write of 0 will do.
    EXPECT_EQ(lapic.read_msr(msr).has_value(), read_write.contains(msr) || read_only.contains(msr))
        << std::hex << msr;
    EXPECT_EQ(lapic.write_msr(msr, 0), read_write.contains(msr) || write_only.contains(msr))
        << std::hex << msr;
  }
}

// 11.12.1.3 "Reserved Bit Checking"
TEST(LapicAccess, X2apicReservedBitsAreGp) {
  struct Row {
    Register reg;
    std::uint64_t takes; ///< bits that are not reserved, read-only ones included
  };
  for (const Row &row :
       {Row{Register::kTaskPriority, 0xff}, Row{Register::kEoi, 0}, Row{Register::kErrorStatus, 0},
        Row{Register::kSpuriousVector, 0x3ff}, Row{Register::kLvtTimer, 0x710ff},
        Row{Register::kLvtThermal, 0x117ff}, Row{Register::kLvtPerformance, 0x117ff},
        Row{Register::kLvtLint0, 0x1f7ff}, Row{Register::kLvtLint1, 0x1f7ff},
        Row{Register::kLvtError, 0x110ff}, Row{Register::kInitialCount, 0xffffffff},
        Row{Register::kDivideConfiguration, 0xb}, Row{Register::kSelfIpi, 0xff}})
    for (unsigned bit = 0; bit < 64; ++bit) {
      Bench bench(1, true);
      EXPECT_EQ(bench[0].lapic.write_msr(Cpu::msr(row.reg), 1ull << bit), (row.takes >> bit & 1) != 0)
          << "MSR " << std::hex << Cpu::msr(row.reg) << std::dec << " bit " << bit;
    }
}

// 11.12.1.3: a #GP changes nothing
TEST(LapicAccess, AGpChangesNothing) {
  Bench bench(1, true);
  bench[0].set(Register::kTaskPriority, 0x20);
  EXPECT_FALSE(bench[0].lapic.write_msr(Cpu::msr(Register::kTaskPriority), 0x1'0000'0030));
  EXPECT_EQ(bench[0].get(Register::kTaskPriority), 0x20u);
}

// 11.4.1: in xAPIC mode reserved bits are not kept, and read-only registers not changed
TEST(LapicAccess, XapicIgnoresWhatItDoesNotTake) {
  Bench bench(1, false, 7);
  Cpu &cpu = bench[0];
  for (const Register reg : {Register::kId, Register::kVersion, Register::kProcessorPriority,
                             Register::kInService, Register::kInterruptRequest, Register::kCurrentCount}) {
    const std::uint64_t was = cpu.get(reg);
    cpu.set(reg, ~was & 0xffffffff);
    EXPECT_EQ(cpu.get(reg), was) << std::hex << static_cast<std::uint32_t>(reg);
  }
  cpu.set(Register::kTaskPriority, 0xffffff20);
  EXPECT_EQ(cpu.get(Register::kTaskPriority), 0x20u);
  cpu.set(Register::kLvtLint0, 0xffffffff);
  EXPECT_EQ(cpu.get(Register::kLvtLint0), 0x1a7ffu) << "neither delivery status nor remote IRR";
  cpu.set(Register::kDivideConfiguration, 0xf);
  EXPECT_EQ(cpu.get(Register::kDivideConfiguration), 0xbu);
  cpu.set(Register::kEoi, 0x1234); // any value
  EXPECT_EQ(cpu.get(Register::kEoi), 0u);
}

// 11.4.1: "aligned 32-bit loads or stores"
TEST(LapicAccess, MmioIsAlignedAnd32Bit) {
  Bench bench(1, false, 0x9a);
  Lapic &lapic = bench[0].lapic;
  const std::uint64_t tpr = Cpu::address(Register::kTaskPriority);
  bench[0].set(Register::kTaskPriority, 0x20);
  for (const unsigned size : {1u, 2u, 8u})
    lapic.write_mmio(tpr, size, 0x30);
  lapic.write_mmio(tpr + 1, 4, 0x30);
  lapic.write_mmio(tpr + 4, 4, 0x30);
  EXPECT_EQ(bench[0].get(Register::kTaskPriority), 0x20u);
  const std::uint64_t id = Cpu::address(Register::kId);
  EXPECT_EQ(lapic.read_mmio(id + 3, 1), 0x9au);
  EXPECT_EQ(lapic.read_mmio(id + 2, 2), 0x9a00u);
  EXPECT_EQ(lapic.read_mmio(id + 2, 4), 0u) << "not aligned";
  EXPECT_EQ(lapic.read_mmio(id, 8), 0u) << "too wide";
  EXPECT_EQ(lapic.read_mmio(id + 4, 4), 0u) << "between two registers";
  bench[0].set(Register::kErrorStatus, 0);
  EXPECT_EQ(bench[0].get(Register::kErrorStatus), 0u) << "and none of it is an error";
}

// 11.4.7.2: while it is disabled by software, LVT masks are set and stay so
TEST(LapicAccess, SoftwareDisableMasksTheLvt) {
  Bench bench(1);
  constexpr Register kLvts[] = {Register::kLvtTimer, Register::kLvtThermal, Register::kLvtPerformance,
                                Register::kLvtLint0, Register::kLvtLint1,   Register::kLvtError};
  for (const Register lvt : kLvts) {
    bench[0].set(lvt, 0x70);
    EXPECT_EQ(bench[0].get(lvt), 0x70u);
  }
  bench[0].set(Register::kSpuriousVector, 0xff);
  for (const Register lvt : kLvts) {
    EXPECT_EQ(bench[0].get(lvt), Lvt::kMask | 0x70);
    bench[0].set(lvt, 0x71);
    EXPECT_EQ(bench[0].get(lvt), Lvt::kMask | 0x71);
  }
  bench[0].enable(); // which unmasks nothing
  EXPECT_EQ(bench[0].get(Register::kLvtError), Lvt::kMask | 0x71);
}

// 11.5.1: delivery status and remote IRR are read-only, which is not reserved
TEST(LapicAccess, X2apicIgnoresReadOnlyBits) {
  Bench bench(1, true);
  bench[0].set(Register::kLvtLint0, Lvt::kDeliveryStatus | Lvt::kRemoteIrr | Lvt::kMask | 0x70);
  EXPECT_EQ(bench[0].get(Register::kLvtLint0), Lvt::kMask | 0x70);
}

// 11.9, figure 11-23
TEST(LapicAccess, SpuriousVectorRegister) {
  Bench bench(1);
  bench[0].set(Register::kSpuriousVector, 0xffffff2f);
  EXPECT_EQ(bench[0].get(Register::kSpuriousVector), 0x32fu);
}

// An untrusted guest: no access of any kind to any place does any harm
TEST(LapicAccess, AnyAccessIsSafe) {
  for (const bool is_x2apic : {false, true}) {
    Bench bench(2, is_x2apic);
    for (std::uint32_t at = 0; at < kPageSize; ++at)
      for (const unsigned size : {1u, 2u, 4u, 8u})
        for (const std::uint64_t value : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{0x40f0}}) {
          Lapic &lapic = bench[0].lapic;
          static_cast<void>(lapic.read_mmio(ApicBase::kDefaultAddress + at, size));
          lapic.write_mmio(ApicBase::kDefaultAddress + at, size, value);
          static_cast<void>(lapic.read_msr(kFirstMsr + at));
          static_cast<void>(lapic.write_msr(kFirstMsr + at, value));
          bench.clock.ns += 1000;
          static_cast<void>(bench[0].serve());
        }
    // Behind it, it is the LAPIC that it was.
    Cpu &cpu = bench[0];
    ASSERT_TRUE(cpu.lapic.write_base(ApicBase::kDefaultAddress));
    ASSERT_TRUE(cpu.lapic.write_base(ApicBase::kDefaultAddress | ApicBase::kEnable));
    static_cast<void>(cpu.lapic.take());
    cpu.enable();
    bench[1].send(0, kAssert | 0x40);
    EXPECT_EQ(cpu.serve(), 0x40);
    EXPECT_EQ(cpu.serve(), 0);
  }
}

} // namespace
} // namespace reveille::vmm::lapic::test
