// The same accesses to a LAPIC's MSRs by a real vCPU, with KVM's LAPIC and with ours: the guest sees the
// same. One thing is not compared: KVM lets writes to reserved bits of TPR, SVR, DCR and EOI pass, which by
// the manual are a #GP (SDM 3, 11.12.1.3), and with ours are.
#include "tests/kvm/bare_guest.hpp"
#include "tests/unit/machine/tiny_elf.hpp"
#include "vmm/machine/machine.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace reveille::vmm {
namespace {

using test::must;
using test::TinyElf;
using namespace std::string_view_literals;

constexpr std::uint8_t kPage = 2;
constexpr std::uint16_t kHandler = 0x1000;
constexpr std::uint8_t kGeneralProtection = 13;
constexpr std::uint32_t kApicBase = 0x1b;
constexpr std::uint32_t kX2apic = 0xfee00c00; ///< IA32_APIC_BASE: enabled, x2APIC

struct Access {
  std::uint32_t msr;
  bool is_write = false;
  std::uint64_t value = 0;
};

/// What came of one: the value read, or a #GP.
struct Result {
  bool is_gp;
  std::uint64_t value; ///< of a read that is none
  bool operator==(const Result &) const = default;
};

std::string describe(const Access &access) {
  return access.is_write ? fmt::format("wrmsr {:#x}, {:#x}", access.msr, access.value)
                         : fmt::format("rdmsr {:#x}", access.msr);
}
std::string describe(const Result &result) {
  return result.is_gp ? "#GP" : fmt::format("{:#x}", result.value);
}

std::string bytes(std::uint32_t value) {
  std::string text;
  for (unsigned i = 0; i < 4; ++i)
    text += static_cast<char>(value >> (8 * i));
  return text;
}

/// In real mode: EDI is 1 behind a #GP. EAX and EDX go out behind each.
std::string program(const std::vector<Access> &accesses) {
  std::string code;
  for (const Access &access : accesses)
    code += "\x66\x31\xff" // xor edi, edi
            "\x66\xb9" +
            bytes(access.msr) +                                                  // mov ecx, msr
            "\x66\xb8" + bytes(static_cast<std::uint32_t>(access.value)) +       // mov eax, low
            "\x66\xba" + bytes(static_cast<std::uint32_t>(access.value >> 32)) + // mov edx, high
            (access.is_write ? "\x0f\x30" : "\x0f\x32") +                        // wrmsr or rdmsr
            "\x66\xe7\x80\x66\x89\xd0\x66\xe7\x80\x66\x89\xf8\x66\xe7\x80";      // out eax; edx; edi
  return code;
}

/// mov edi, 1; mov bp, sp; add word [bp], 2 (over the access); iret
constexpr auto kSkip = "\x66\xbf\x01\0\0\0\x89\xe5\x83\x46\0\x02\xcf"sv;

class Registers : public testing::Test {
protected:
  void SetUp() override { REVEILLE_NEEDS_KVM(); }

  static std::uint32_t next_out(Processor &processor) {
    const Exit exit = processor.run();
    const auto *out = std::get_if<IoOut>(&exit);
    if (out == nullptr)
      throw std::runtime_error(describe(exit));
    return out->value();
  }

  /// An AP does them, from its start-up in xAPIC mode on.
  static std::vector<Result> perform(ApicMode mode, const std::vector<Access> &accesses) {
    Scenario scenario;
    scenario.machine.vcpus = 3;
    scenario.machine.memory_mib = 64;
    scenario.machine.apic = mode;
    scenario.bringup.max_cpus = 3;
    Machine machine = must(Machine::build(scenario, must(GuestImage::parse("by hand", TinyElf{}.bytes()))));
    const auto write = [&](std::uint64_t gpa, std::string_view what) {
      EXPECT_TRUE(machine.memory().write_bytes(gpa, std::as_bytes(std::span(what))));
    };
    write(kPage << 12, "\x66\xbc\0\x0f\0\0"sv); // mov esp, 0xf00
    write((kPage << 12) + 6, program(accesses));
    write(kHandler, kSkip);
    write(kGeneralProtection * 4u, bytes(kHandler));
    must(machine.bus().init(1));
    must(machine.bus().startup(1, kPage));
    std::vector<Result> results;
    for (const Access &access : accesses) {
      const std::uint64_t low = next_out(machine.processor(1));
      const std::uint64_t high = next_out(machine.processor(1));
      const bool is_gp = next_out(machine.processor(1)) != 0;
      results.push_back({is_gp, is_gp || access.is_write ? 0 : high << 32 | low});
    }
    return results;
  }

  /// The accesses whose results differ, as sentences.
  static std::vector<std::string> differences(const std::vector<Access> &accesses) {
    const auto theirs = perform(ApicMode::kKernel, accesses);
    const auto ours = perform(ApicMode::kUser, accesses);
    std::vector<std::string> list;
    for (std::size_t i = 0; i < accesses.size(); ++i)
      if (theirs[i] != ours[i])
        list.push_back(
            fmt::format("{}: KVM {}, we {}", describe(accesses[i]), describe(theirs[i]), describe(ours[i])));
    return list;
  }
};

TEST_F(Registers, EachAsItIsAfterAnInit) {
  std::vector<Access> accesses = {{kApicBase, true, kX2apic}};
  for (std::uint32_t msr = 0x800; msr < 0x850; ++msr)
    accesses.push_back({msr});
  accesses.push_back({0x8ff});
  accesses.push_back({0x6e0});
  EXPECT_EQ(differences(accesses), std::vector<std::string>{});
}

TEST_F(Registers, EachWrittenAndReadBack) {
  std::vector<Access> accesses = {{kApicBase, true, kX2apic}, {0x80f, true, 0x1ff}};
  const auto write = [&](std::uint32_t msr, std::uint64_t value) {
    accesses.push_back({msr, true, value});
    accesses.push_back({msr});
  };
  for (const std::uint32_t msr : {0x802u, 0x803u, 0x80au, 0x80du, 0x80eu, 0x80fu, 0x810u, 0x818u, 0x820u,
                                  0x832u, 0x833u, 0x834u, 0x835u, 0x836u, 0x837u, 0x839u, 0x83eu})
    for (const std::uint64_t value : {0x0ull, 0x1'0000'0000ull, 0x2ull})
      write(msr, value);
  for (const std::uint64_t priority : {0x1'0000'0000ull, 0x20ull}) { // of AMD's, KVM keeps only CR8's half
    write(0x808, priority);
    accesses.push_back({0x80a});
  }
  write(0x80f, 0x1ff);
  for (const std::uint32_t lvt : {0x832u, 0x833u, 0x834u, 0x835u, 0x836u, 0x837u})
    write(lvt, 0x10040);
  EXPECT_EQ(differences(accesses), std::vector<std::string>{});
}

TEST_F(Registers, WhatMustBeZero) {
  EXPECT_EQ(differences({{kApicBase, true, kX2apic},
                         {0x80b, true, 0},
                         {0x80b},
                         {0x828, true, 0},
                         {0x828, true, 1},
                         {0x828},
                         {0x83f, true, 0x140},
                         {0x83f},
                         {0x831, true, 0},
                         {0x840, true, 0}}),
            std::vector<std::string>{});
}

TEST_F(Registers, ModesOfTheBase) {
  constexpr std::uint64_t kOff = 0xfee00000;
  constexpr std::uint64_t kXapic = 0xfee00800;
  EXPECT_EQ(differences({{0x802},
                         {kApicBase},
                         {kApicBase, true, kOff | 0x400},
                         {kApicBase, true, kX2apic},
                         {kApicBase},
                         {0x802},
                         {kApicBase, true, kXapic},
                         {kApicBase},
                         {kApicBase, true, kOff},
                         {kApicBase},
                         {0x802},
                         {kApicBase, true, kX2apic},
                         {kApicBase},
                         {kApicBase, true, kXapic},
                         {kApicBase},
                         {0x802},
                         {kApicBase, true, kXapic | 1},
                         {kApicBase, true, kXapic | 0x200},
                         {kApicBase, true, 1ull << 63 | kXapic},
                         {kApicBase, true, kX2apic},
                         {0x802}}),
            std::vector<std::string>{});
}

TEST_F(Registers, InterruptsToItselfUnderAPriority) {
  std::vector<Access> accesses = {{kApicBase, true, kX2apic}, {0x80f, true, 0x1ff}, {0x808, true, 0x50}};
  for (const std::uint64_t icr : {0x4'4040ull, 0x4'4062ull, 0x1'0000'4073ull, 0x1'0000'4044ull}) {
    accesses.push_back({0x830, true, icr});
    accesses.push_back({0x830});
  }
  accesses.push_back({0x83f, true, 0x91});
  for (std::uint32_t msr = 0x810; msr < 0x828; ++msr)
    accesses.push_back({msr});
  accesses.push_back({0x80a});
  EXPECT_EQ(differences(accesses), std::vector<std::string>{});
}

} // namespace
} // namespace reveille::vmm
