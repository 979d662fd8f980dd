#include "vmm/machine/cpuid.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace reveille::vmm {
namespace {

using Leaves = std::vector<kvm_cpuid_entry2>;

kvm_cpuid_entry2 leaf(std::uint32_t function, std::uint32_t eax, std::uint32_t ebx, std::uint32_t ecx,
                      std::uint32_t edx) {
  kvm_cpuid_entry2 entry = {};
  entry.function = function;
  entry.eax = eax;
  entry.ebx = ebx;
  entry.ecx = ecx;
  entry.edx = edx;
  return entry;
}

/// Something like what a KVM answers on AMD, with the host's own numbers in it.
Leaves supported() {
  return {leaf(0, 0x7, 0x68747541, 0x444d4163, 0x69746e65),
          leaf(1, 0xa20f10, 0x5a020800, 1u << 21, 0x0fabfbff),
          leaf(0xb, 9, 9, 9, 9),
          leaf(0x40000000, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d),
          leaf(0x80000001, 0xa20f10, 0, 0x400391, 0),
          leaf(0x80000008, 0x3030, 0, 0x7007, 0),
          leaf(0x8000001e, 77, 0x177, 0x177, 0)};
}

std::optional<kvm_cpuid_entry2> get(const Leaves &leaves, std::uint32_t function, std::uint32_t index = 0) {
  std::optional<kvm_cpuid_entry2> found;
  for (const auto &entry : leaves)
    if (entry.function == function && entry.index == index) {
      EXPECT_FALSE(found) << "leaf " << function << " twice";
      found = entry;
    }
  return found;
}

TEST(Cpuid, EachVcpuHasItsOwnIds) {
  const CpuidSpec spec{.vcpus = 1000, .tsc_khz = 2'000'000};
  for (const std::uint32_t id : {0u, 7u, 254u, 999u}) {
    const Leaves leaves = vcpu_cpuid(supported(), spec, id);
    EXPECT_EQ(get(leaves, 1)->ebx >> 24, id & 0xff);
    for (std::uint32_t level = 0; level < 3; ++level)
      EXPECT_EQ(get(leaves, 0xb, level)->edx, id);
    EXPECT_EQ(get(leaves, 0x8000001e)->eax, id);
  }
}

TEST(Cpuid, FeatureBitsFollowTheMachine) {
  constexpr std::uint32_t kX2apic = 1u << 21;
  constexpr std::uint32_t kDeadline = 1u << 24;
  constexpr std::uint32_t kHypervisor = 1u << 31;
  CpuidSpec spec{.vcpus = 8};
  const auto on = get(vcpu_cpuid(supported(), spec, 0), 1);
  EXPECT_EQ(on->ecx & (kX2apic | kDeadline | kHypervisor), kX2apic | kDeadline | kHypervisor);
  EXPECT_NE(on->edx & (1u << 28), 0u);
  EXPECT_EQ((on->ebx >> 16) & 0xff, 8u);
  spec = {.vcpus = 1, .offers_x2apic = false, .offers_tsc_deadline = false};
  const auto off = get(vcpu_cpuid(supported(), spec, 0), 1);
  EXPECT_EQ(off->ecx & (kX2apic | kDeadline), 0u);
  EXPECT_EQ(off->edx & (1u << 28), 0u);
  EXPECT_EQ((off->ebx >> 16) & 0xff, 1u);
}

TEST(Cpuid, TopologyCountsThreadsAndCores) {
  const CpuidSpec spec{.vcpus = 24, .threads_per_core = 4};
  const Leaves leaves = vcpu_cpuid(supported(), spec, 13);
  EXPECT_GE(get(leaves, 0)->eax, 0xbu);
  const auto threads = get(leaves, 0xb, 0);
  EXPECT_EQ(threads->eax, 2u);
  EXPECT_EQ(threads->ebx, 4u);
  EXPECT_EQ(threads->ecx, 0x100u);
  const auto cores = get(leaves, 0xb, 1);
  EXPECT_EQ(cores->eax, 5u); // 24 IDs need five bits
  EXPECT_EQ(cores->ebx, 24u);
  EXPECT_EQ(cores->ecx, 0x201u);
  EXPECT_EQ(get(leaves, 0xb, 2)->ecx, 2u);
  EXPECT_FALSE(get(leaves, 0x1f));
  EXPECT_EQ(get(leaves, 0x8000001e)->ebx, 0x303u); // 4 threads a core, core 3
  EXPECT_EQ(get(leaves, 0x80000008)->ecx, 0x5017u);
}

TEST(Cpuid, SaysTheFrequenciesBehindKvmsSignature) {
  const Leaves leaves = vcpu_cpuid(supported(), {.vcpus = 2, .tsc_khz = 2'596'000}, 0);
  EXPECT_EQ(get(leaves, 0x40000000)->eax, 0x40000010u);
  EXPECT_EQ(get(leaves, 0x40000000)->ebx, 0x4b4d564bu);
  EXPECT_EQ(get(leaves, 0x40000010)->eax, 2'596'000u);
  EXPECT_EQ(get(leaves, 0x40000010)->ebx, 1'000'000u);
  EXPECT_FALSE(get(vcpu_cpuid(supported(), {.vcpus = 2}, 0), 0x40000010));
}

TEST(ApicSetup, FollowsIdsAndTheScenario) {
  MachineSpec machine;
  machine.vcpus = 255;
  EXPECT_FALSE(apic_setup(machine).starts_in_x2apic(0));
  EXPECT_TRUE(apic_setup(machine).offers_x2apic);
  machine.vcpus = 256; // the last ID is 255, xAPIC's broadcast
  EXPECT_TRUE(apic_setup(machine).starts_in_x2apic(0));
  EXPECT_TRUE(apic_setup(machine).starts_in_x2apic(255));
  EXPECT_TRUE(apic_setup(machine).starts_in_x2apic(1)) << "one mode for all";
  EXPECT_TRUE(apic_setup(machine).needs_wide_ids);
  machine.vcpus = 8;
  machine.x2apic = X2apic::kOff;
  EXPECT_FALSE(apic_setup(machine).needs_wide_ids);
  EXPECT_FALSE(apic_setup(machine).offers_x2apic);
  machine.x2apic = X2apic::kOn;
  EXPECT_TRUE(apic_setup(machine).starts_in_x2apic(0));
  EXPECT_FALSE(apic_setup(machine).starts_in_x2apic(1)) << "as a reset leaves it";
}

} // namespace
} // namespace reveille::vmm
