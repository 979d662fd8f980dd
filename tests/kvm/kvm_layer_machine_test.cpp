// Whole machines with hand-made guests: 32-bit code at the PVH entry.
#include "tests/kvm/bare_guest.hpp"
#include "tests/unit/machine/tiny_elf.hpp"
#include "vmm/machine/machine.hpp"
#include "vmm/machine/pvh.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

namespace reveille::vmm {
namespace {

using test::TinyElf;

Scenario scenario_of(std::uint32_t vcpus) {
  Scenario scenario;
  scenario.machine.vcpus = vcpus;
  scenario.machine.memory_mib = 64;
  scenario.bringup.max_cpus = vcpus;
  return scenario;
}

/// A machine whose boot CPU runs `code`.
Machine machine_with(const std::string &code, const Scenario &scenario) {
  const auto image = GuestImage::parse("by hand", TinyElf{.code = code}.bytes()).value();
  return test::must(Machine::build(scenario, image));
}

std::string bytes(std::initializer_list<int> list) {
  std::string code;
  for (const int byte : list)
    code += static_cast<char>(byte);
  return code;
}

std::string word(std::uint32_t value) {
  std::string code(4, '\0');
  std::memcpy(code.data(), &value, 4);
  return code;
}

/// Runs the boot CPU to its next port write and returns what it wrote.
std::uint32_t next_out(Machine &machine) {
  const Exit exit = machine.vcpu(0).run();
  if (const auto *out = std::get_if<IoOut>(&exit))
    return out->value();
  ADD_FAILURE() << describe(exit);
  return 0;
}

TEST(KvmMachine, StartsAtTheEntryWithTheStartInfo) {
  REVEILLE_NEEDS_KVM();
  // mov eax, ebx; out 0x80, eax; mov eax, [ebx]; out 0x80, eax; mov eax, [ebx + 32]; mov eax, [eax]; out
  // 0x80, eax
  Machine machine = machine_with(
      bytes({0x89, 0xd8, 0xe7, 0x80, 0x8b, 0x03, 0xe7, 0x80, 0x8b, 0x43, 0x20, 0x8b, 0x00, 0xe7, 0x80}),
      scenario_of(2));
  EXPECT_EQ(next_out(machine), kStartInfoAddress);
  EXPECT_EQ(next_out(machine), 0x336ec578u);
  EXPECT_EQ(next_out(machine), 0x20445352u); // "RSD " at rsdp
}

TEST(KvmMachine, TripleFaultIsAShutdownThatLeavesOthersAlone) {
  REVEILLE_NEEDS_KVM();
  // lidt [0x2000] (zeros: no interrupt table); ud2
  Machine machine =
      machine_with(bytes({0x0f, 0x01, 0x1d}) + word(0x2000) + bytes({0x0f, 0x0b}), scenario_of(2));
  const Exit exit = machine.vcpu(0).run();
  EXPECT_TRUE(std::holds_alternative<Shutdown>(exit)) << describe(exit);
  EXPECT_EQ(machine.vcpu(0).linear_rip().value(), TinyElf::kLoadAddress + 7);
  EXPECT_EQ(machine.vcpu(1).mp_state().value(), MpState::kUninitialized);
}

TEST(KvmMachine, BootStateIsFlatProtectedMode) {
  REVEILLE_NEEDS_KVM();
  Machine machine = machine_with("\xf4", scenario_of(1));
  const auto special = machine.vcpu(0).sregs().value();
  EXPECT_EQ(special.cr0 & 0x80000001, 1u); // protected, not paged
  EXPECT_EQ(special.cs.base, 0u);
  EXPECT_EQ(special.cs.limit, 0xffffffffu);
  EXPECT_EQ(special.cs.db, 1);
  EXPECT_EQ(machine.vcpu(0).regs().value().rip, TinyElf::kLoadAddress);
  EXPECT_EQ(machine.vcpu(0).regs().value().rflags & 0x20200, 0u); // IF and VM off
}

TEST(KvmMachine, ApsWaitAndEachHasItsOwnId) {
  REVEILLE_NEEDS_KVM();
  Machine machine = machine_with("\xf4", scenario_of(4));
  EXPECT_EQ(machine.vcpu(0).mp_state().value(), MpState::kRunnable);
  for (CpuIndex cpu = 1; cpu < 4; ++cpu) {
    EXPECT_EQ(machine.vcpu(cpu).mp_state().value(), MpState::kUninitialized);
    EXPECT_EQ(machine.vcpu(cpu).id(), cpu);
  }
}

TEST(KvmMachine, EveryApCanBeReachedAtOnce) {
  REVEILLE_NEEDS_KVM();
  for (const X2apic mode : {X2apic::kOff, X2apic::kAuto, X2apic::kOn}) {
    Scenario scenario = scenario_of(4);
    scenario.machine.x2apic = mode;
    Machine machine = machine_with("\xf4", scenario);
    for (CpuIndex cpu = 3; cpu > 0; --cpu) { // the last one first: an INIT taken would mend the others
      test::must(machine.bus().init(cpu));
      EXPECT_EQ(machine.vcpu(cpu).mp_state().value(), MpState::kInitReceived) << "CPU " << cpu;
    }
  }
}

TEST(KvmMachine, CpuidSaysClockAndX2apicId) {
  REVEILLE_NEEDS_KVM();
  // mov eax, 0x40000010; cpuid; out 0x80, eax; mov eax, 0xb; xor ecx, ecx; cpuid; mov eax, edx; out 0x80, eax
  Machine machine = machine_with(bytes({0xb8, 0x10, 0, 0,    0x40, 0x0f, 0xa2, 0xe7, 0x80, 0xb8, 0xb,
                                        0,    0,    0, 0x31, 0xc9, 0x0f, 0xa2, 0x89, 0xd0, 0xe7, 0x80}),
                                 scenario_of(2));
  EXPECT_EQ(next_out(machine), machine.tsc_khz());
  EXPECT_GT(machine.tsc_khz(), 100'000u);
  EXPECT_EQ(next_out(machine), 0u);
}

TEST(KvmMachine, X2apicStandsAsTheScenarioSays) {
  REVEILLE_NEEDS_KVM();
  constexpr std::uint64_t kExtd = 1u << 10;
  Scenario scenario = scenario_of(2);
  const auto extd = [&](CpuIndex cpu) {
    return machine_with("\xf4", scenario).vcpu(cpu).sregs().value().apic_base & kExtd;
  };
  EXPECT_EQ(extd(1), 0u);
  scenario.machine.x2apic = X2apic::kOn;
  EXPECT_EQ(extd(0), kExtd);
  EXPECT_EQ(extd(1), 0u);
}

TEST(KvmMachine, IdsAbove254AreReachedAndKeepX2apicThroughInit) {
  REVEILLE_NEEDS_KVM();
  Machine machine = machine_with("\xf4", scenario_of(260));
  ASSERT_TRUE(machine.memory().write_bytes(0x2000, std::as_bytes(std::span("\xe6\x80", 2)))); // out 0x80, al
  for (const CpuIndex cpu : {255u, 256u, 259u}) {
    ASSERT_TRUE(machine.bus().init(cpu));
    ASSERT_TRUE(machine.bus().startup(cpu, 2));
    const Exit exit = machine.vcpu(cpu).run();
    EXPECT_TRUE(std::holds_alternative<IoOut>(exit)) << describe(exit);
    EXPECT_NE(machine.vcpu(cpu).sregs().value().apic_base & (1u << 10), 0u);
  }
  EXPECT_EQ(machine.vcpu(3).mp_state().value(), MpState::kUninitialized);
}

TEST(KvmMachine, LapicTimerCountsAsFastAsWeTellTheGuest) {
  REVEILLE_NEEDS_KVM();
  // mov [0xfee000f0], 0x1ff; [0xfee003e0] = 0xb (divide by 1); [0xfee00320] = 0x10000 (masked); [0xfee00380]
  // = -1
  std::string code;
  for (const auto &[address, value] : {std::pair{0xfee000f0u, 0x1ffu},
                                       {0xfee003e0u, 0xbu},
                                       {0xfee00320u, 0x10000u},
                                       {0xfee00380u, 0xffffffffu}})
    code += bytes({0xc7, 0x05}) + word(address) + word(value);
  const std::string report = bytes({0x0f, 0x31, 0xe7, 0x80, 0xa1}) + word(0xfee00390) + bytes({0xe7, 0x80});
  code += report;                                                             // rdtsc; out; count; out
  code += bytes({0xb9}) + word(300'000) + bytes({0x49, 0x75, 0xfd}) + report; // mov ecx; dec ecx; jnz
  Machine machine = machine_with(code, scenario_of(1));
  const std::uint32_t tsc = next_out(machine);
  const std::uint32_t count = next_out(machine);
  const double tsc_ms = static_cast<std::uint32_t>(next_out(machine) - tsc) / double(machine.tsc_khz());
  const double lapic_ms = static_cast<std::uint32_t>(count - next_out(machine)) / 1e6; // 1 GHz
  EXPECT_NEAR(lapic_ms / tsc_ms, 1.0, 0.2) << lapic_ms << " ms by LAPIC, " << tsc_ms << " ms by TSC";
}

TEST(KvmMachine, RandomPortAccessIsAnsweredAndEndsNothing) {
  REVEILLE_NEEDS_KVM();
  std::mt19937 random(3);
  std::string code;
  for (int i = 0; i < 300; ++i) {
    const int kind = static_cast<int>(random() % 6);
    code += bytes(
        {0x66, 0xba, static_cast<int>(random() % 256), static_cast<int>(random() % 256)}); // mov dx, port
    code += std::array{bytes({0xec}), bytes({0x66, 0xed}), bytes({0xed}),
                       bytes({0xee}), bytes({0x66, 0xef}), bytes({0xef})}[static_cast<std::size_t>(kind)];
  }
  code += bytes({0xa1}) + word(0xd0000000) + bytes({0xa3}) + word(0xd0000000); // and memory that is not there
  code += bytes({0xe7, 0xf5});                                                 // out 0xf5, eax: the end
  Machine machine = machine_with(code, scenario_of(1));
  for (int exits = 0; exits < 1000; ++exits) {
    const Exit exit = machine.vcpu(0).run();
    if (const auto *out = std::get_if<IoOut>(&exit)) {
      if (out->port == 0xf5 && out->size == 4) {
        EXPECT_EQ(out->value(), UINT32_MAX); // what the read of nothing gave
        return;
      }
      machine.platform().write(*out);
    } else if (const auto *in = std::get_if<IoIn>(&exit)) {
      machine.vcpu(0).reply_io(machine.platform().read(*in));
    } else if (const auto *load = std::get_if<MmioRead>(&exit)) {
      machine.vcpu(0).reply_mmio(machine.platform().read(*load));
    } else if (const auto *store = std::get_if<MmioWrite>(&exit)) {
      machine.platform().write(*store);
    } else {
      FAIL() << describe(exit);
    }
  }
  FAIL() << "the guest did not come to its end";
}

TEST(KvmMachine, MemoryAboveFourGibIsThere) {
  REVEILLE_NEEDS_KVM();
  Scenario scenario = scenario_of(1);
  scenario.machine.memory_mib = 4096;
  Machine machine = machine_with("\xf4", scenario);
  EXPECT_EQ(machine.memory().regions().size(), 2u);
  EXPECT_EQ(machine.control().layout().range.end, GuestMemory::kHoleBegin);
}

TEST(KvmMachine, SaysWhatTheHostIs) {
  REVEILLE_NEEDS_KVM();
  Machine machine = machine_with("\xf4", scenario_of(1));
  EXPECT_FALSE(machine.host().kernel.empty());
  EXPECT_EQ(machine.host().kvm_api, 12);
  EXPECT_GE(machine.host().cpus_online, 1u);
  EXPECT_GE(machine.host().kvm_max_vcpus, machine.host().kvm_recommended_vcpus);
  EXPECT_GT(machine.create_us(), 0u);
}

TEST(KvmMachine, ImageAndMemoryMistakesAreUsageErrors) {
  const auto image = GuestImage::parse("by hand", TinyElf{.memory_size = 70u << 20}.bytes()).value();
  const auto too_big = Machine::build(scenario_of(1), image);
  ASSERT_FALSE(too_big);
  EXPECT_EQ(too_big.error().status, ExitStatus::kUsage);
  Scenario scenario = scenario_of(1024);
  scenario.machine.memory_mib = 16;
  scenario.bringup.attempts = 8;
  const auto too_small = Machine::build(scenario, GuestImage::parse("by hand", TinyElf{}.bytes()).value());
  ASSERT_FALSE(too_small);
  EXPECT_EQ(too_small.error().status, ExitStatus::kUsage);
  EXPECT_FALSE(Machine::build(scenario_of(1), std::string("/nonexistent")));
}

} // namespace
} // namespace reveille::vmm
