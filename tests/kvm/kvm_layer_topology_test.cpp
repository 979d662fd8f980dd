// Who a vCPU is by CPUID on a real KVM, asked by the vCPU itself, and by the MADT in its memory.
#include "tests/kvm/bare_guest.hpp"
#include "tests/unit/machine/tiny_elf.hpp"
#include "vmm/machine/acpi.hpp"
#include "vmm/machine/apic_ids.hpp"
#include "vmm/machine/machine.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {
namespace {

using test::must;
using test::TinyElf;
using namespace std::string_view_literals;

/// mov eax, 1; cpuid; mov eax, ebx; out 0x80, eax
/// mov eax, 0xb; xor ecx, ecx; cpuid; out 0x80, eax; mov eax, edx; out 0x80, eax
/// mov eax, 0xb; xor ecx, ecx; inc ecx; cpuid; out 0x80, eax
constexpr std::array kQuestions = {"\xb8\x01\0\0\0"sv, "\x0f\xa2"sv, "\x89\xd8"sv,       "\xe7\x80"sv,
                                   "\xb8\x0b\0\0\0"sv, "\x31\xc9"sv, "\x0f\xa2"sv,       "\xe7\x80"sv,
                                   "\x89\xd0"sv,       "\xe7\x80"sv, "\xb8\x0b\0\0\0"sv, "\x31\xc9"sv,
                                   "\xff\xc1"sv,       "\x0f\xa2"sv, "\xe7\x80"sv};

/// The code for 32-bit mode, or for real mode: there a prefix makes an operand 32 bits wide.
std::string questions(bool is_real_mode) {
  std::string code;
  for (const std::string_view instruction : kQuestions)
    code.append(is_real_mode ? "\x66" : "").append(instruction);
  return code;
}

struct Answers {
  std::uint32_t initial_id; ///< eight bits
  std::uint32_t thread_bits;
  std::uint32_t x2apic_id;
  std::uint32_t all_bits;
};

std::uint32_t next_out(Vcpu &vcpu) {
  const Exit exit = vcpu.run();
  if (const auto *out = std::get_if<IoOut>(&exit))
    return out->value();
  ADD_FAILURE() << describe(exit);
  return 0;
}

/// What the vCPU finds out: the boot CPU from its entry on, an AP from its start-up on.
Answers ask(Machine &machine, CpuIndex cpu) {
  if (cpu != 0) {
    must(machine.bus().init(cpu));
    must(machine.bus().startup(cpu, 2));
  }
  Vcpu &vcpu = machine.vcpu(cpu);
  Answers answers = {};
  answers.initial_id = next_out(vcpu) >> 24;
  answers.thread_bits = next_out(vcpu);
  answers.x2apic_id = next_out(vcpu);
  answers.all_bits = next_out(vcpu);
  return answers;
}

Machine machine_with(std::uint32_t vcpus, std::uint32_t threads_per_core) {
  Scenario scenario;
  scenario.machine.vcpus = vcpus;
  scenario.machine.threads_per_core = threads_per_core;
  scenario.machine.memory_mib = 64;
  scenario.bringup.max_cpus = vcpus;
  Machine machine = must(Machine::build(
      scenario, GuestImage::parse("by hand", TinyElf{.code = questions(false)}.bytes()).value()));
  const std::string at_startup = questions(true);
  EXPECT_TRUE(machine.memory().write_bytes(0x2000, std::as_bytes(std::span(at_startup))));
  return machine;
}

/// The APIC IDs that the MADT in the guest's memory lists, in its order.
std::vector<std::uint32_t> listed_ids(const GuestMemory &memory) {
  const auto byte = [&](std::uint64_t gpa) { return memory.read<std::uint8_t>(gpa).value(); };
  const auto word = [&](std::uint64_t gpa) { return memory.read<std::uint32_t>(gpa).value(); };
  constexpr std::uint32_t kApic = 0x43495041; // "APIC"
  std::uint64_t at = AcpiTables::kBase;
  while (word(at) != kApic)
    at += 64;
  const std::uint64_t end = at + word(at + 4);
  std::vector<std::uint32_t> ids;
  for (at += 44; at < end; at += byte(at + 1)) {
    if (byte(at) == 0)
      ids.push_back(byte(at + 3));
    else if (byte(at) == 9)
      ids.push_back(word(at + 4));
  }
  return ids;
}

TEST(KvmTopology, EachVcpuSeesItsThreadAndItsCore) {
  REVEILLE_NEEDS_KVM();
  for (const std::uint32_t threads : {1u, 2u, 4u, 8u})
    for (const std::uint32_t vcpus : {1u, 2u, 5u, 16u}) {
      Machine machine = machine_with(vcpus, threads);
      const auto listed = listed_ids(machine.memory());
      ASSERT_EQ(listed.size(), vcpus);
      for (CpuIndex cpu = 0; cpu < vcpus; ++cpu) {
        SCOPED_TRACE(testing::Message() << "CPU " << cpu << " of " << vcpus << ", " << threads << " a core");
        const Answers answers = ask(machine, cpu);
        EXPECT_EQ(answers.x2apic_id, listed[cpu]);
        EXPECT_EQ(answers.initial_id, listed[cpu]);
        EXPECT_EQ(answers.thread_bits, static_cast<std::uint32_t>(std::countr_zero(threads)));
        EXPECT_EQ(answers.x2apic_id >> answers.thread_bits, cpu / threads);
        EXPECT_EQ(answers.x2apic_id >> answers.all_bits, 0u);
      }
    }
}

TEST(KvmTopology, SoDoThoseThatXapicCannotAddress) {
  REVEILLE_NEEDS_KVM();
  Machine machine = machine_with(263, 4);
  const auto listed = listed_ids(machine.memory());
  ASSERT_EQ(listed.size(), 263u);
  for (const CpuIndex cpu : {254u, 255u, 256u, 262u}) {
    SCOPED_TRACE(testing::Message() << "CPU " << cpu);
    const Answers answers = ask(machine, cpu);
    EXPECT_EQ(answers.x2apic_id, listed[cpu]);
    EXPECT_EQ(answers.initial_id, listed[cpu] & 0xff);
    EXPECT_EQ(answers.thread_bits, 2u);
    EXPECT_EQ(answers.x2apic_id >> 2, cpu / 4);
    EXPECT_EQ(answers.all_bits, 9u);
  }
}

} // namespace
} // namespace reveille::vmm
