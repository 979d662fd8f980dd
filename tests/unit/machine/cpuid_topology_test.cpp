// Every way in which CPUID can be asked where a vCPU is gives the same answer.
#include "guest/x86/topology.hpp"
#include "vmm/machine/cpuid.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>

namespace reveille::vmm {
namespace {

using Leaves = std::vector<kvm_cpuid_entry2>;

kvm_cpuid_entry2 leaf(std::uint32_t function, std::uint32_t index, std::uint32_t eax, std::uint32_t ebx = 0,
                      std::uint32_t ecx = 0, std::uint32_t edx = 0) {
  kvm_cpuid_entry2 entry = {};
  entry.function = function;
  entry.index = index;
  entry.eax = eax;
  entry.ebx = ebx;
  entry.ecx = ecx;
  entry.edx = edx;
  return entry;
}

constexpr std::uint32_t kCmpLegacy = 2; // 80000001H:ECX

/// A cache's EAX, with the host's sharing still in it.
constexpr std::uint32_t cache(std::uint32_t type, std::uint32_t level) {
  return type | level << 5 | 1u << 8 | 5u << 14;
}

Leaves amd_host() {
  return {leaf(0, 0, 0x10, 0x68747541, 0x444d4163, 0x69746e65),
          leaf(1, 0, 0xa20f10, 0x5a020800, 0, 0x178bfbff),
          leaf(0xb, 0, 0, 0, 0, 9),
          leaf(0x80000001, 0, 0xa20f10, 0, kCmpLegacy),
          leaf(0x80000008, 0, 0x3030), // a host of one CPU
          leaf(0x8000001d, 0, cache(1, 1)),
          leaf(0x8000001d, 1, cache(2, 1)),
          leaf(0x8000001d, 2, cache(3, 2)),
          leaf(0x8000001d, 3, cache(3, 3)),
          leaf(0x8000001d, 4, 0),
          leaf(0x8000001e, 0, 77, 0x177, 0x177)};
}

Leaves intel_host() {
  constexpr std::uint32_t kTwelveCores = 15u << 26;
  return {leaf(0, 0, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69),
          leaf(1, 0, 0x606a6, 0x5a400800, 0, 0x1fabfbff),
          leaf(4, 0, cache(1, 1) | kTwelveCores),
          leaf(4, 1, cache(2, 1) | kTwelveCores),
          leaf(4, 2, cache(3, 2) | kTwelveCores),
          leaf(4, 3, cache(3, 3) | kTwelveCores),
          leaf(4, 4, 0),
          leaf(0xb, 0, 0, 0, 0, 9),
          leaf(0x1f, 0, 0, 0, 0, 9),
          leaf(0x80000008, 0, 0x302e)};
}

/// What CPUID answers: zeros where there is nothing.
kvm_cpuid_entry2 ask(const Leaves &leaves, std::uint32_t function, std::uint32_t index = 0) {
  const auto at = std::ranges::find_if(leaves, [&](const kvm_cpuid_entry2 &entry) {
    return entry.function == function && entry.index == index;
  });
  return at != leaves.end() ? *at : kvm_cpuid_entry2{};
}

bool has(const Leaves &leaves, std::uint32_t function) { return ask(leaves, function).function == function; }

/// One vCPU of one machine, on one host.
struct Case {
  CpuidSpec spec;
  std::uint32_t cpu;
  Leaves leaves;

  [[nodiscard]] std::uint32_t thread_bits() const {
    return static_cast<std::uint32_t>(std::countr_zero(spec.threads_per_core));
  }
  [[nodiscard]] std::string name() const {
    return "CPU " + std::to_string(cpu) + " of " + std::to_string(spec.vcpus) + " with " +
           std::to_string(spec.threads_per_core) + " threads a core";
  }
};

/// Calls check(Case) for vCPUs of machines of every width, most of them with a core that is not full.
template <class Check> void for_each_vcpu(const Leaves &host, Check check) {
  for (const std::uint32_t threads : {1u, 2u, 4u, 8u})
    for (const std::uint32_t vcpus : {1u, 2u, 3u, 5u, 8u, 13u, 16u, 255u, 256u, 1000u, 1024u}) {
      const CpuidSpec spec{.vcpus = vcpus, .threads_per_core = threads};
      for (std::uint32_t cpu = 0; cpu < vcpus; cpu += cpu < 20 ? 1 : 61) {
        const Case made{spec, cpu, vcpu_cpuid(host, spec, apic_id(cpu))};
        SCOPED_TRACE(made.name());
        check(made);
      }
    }
}

void check_extended(const Case &made, std::uint32_t function) {
  const auto threads = ask(made.leaves, function, 0);
  const auto cores = ask(made.leaves, function, 1);
  const auto end = ask(made.leaves, function, 2);
  EXPECT_EQ(threads.eax, made.thread_bits());
  EXPECT_EQ(threads.ebx, std::min(made.spec.threads_per_core, made.spec.vcpus));
  EXPECT_EQ(threads.ecx, 0x100u);
  EXPECT_EQ(cores.ebx, made.spec.vcpus);
  EXPECT_EQ(cores.ecx, 0x201u);
  EXPECT_EQ(end.ebx, 0u);
  EXPECT_EQ(end.ecx, 2u);
  for (const auto &level : {threads, cores, end})
    EXPECT_EQ(level.edx, apic_id(made.cpu));
  // One package covers all, and no more than it must.
  EXPECT_EQ(threads.edx >> cores.eax, 0u);
  EXPECT_GE(1u << cores.eax, std::max(made.spec.vcpus, made.spec.threads_per_core));
  EXPECT_LT(1u << cores.eax, 2 * std::max(made.spec.vcpus, made.spec.threads_per_core));
  // The siblings are the neighbours.
  EXPECT_EQ(threads.edx >> threads.eax, made.cpu / made.spec.threads_per_core);
}

TEST(CpuidTopology, TheExtendedLeavesTellThreadCoreAndPackage) {
  for_each_vcpu(amd_host(), [](const Case &made) {
    check_extended(made, 0xb);
    EXPECT_FALSE(has(made.leaves, 0x1f)); // the host has none
  });
  for_each_vcpu(intel_host(), [](const Case &made) {
    check_extended(made, 0xb);
    check_extended(made, 0x1f);
  });
}

TEST(CpuidTopology, OurGuestFindsTheThreads) {
  for (const Leaves &host : {amd_host(), intel_host()})
    for_each_vcpu(host, [](const Case &made) {
      const auto cpuid = [&](std::uint32_t function, std::uint32_t index) {
        const auto found = ask(made.leaves, function, index);
        return guest::x86::Cpuid{found.eax, found.ebx, found.ecx, found.edx};
      };
      EXPECT_EQ(guest::x86::thread_bits(cpuid), made.thread_bits());
    });
}

std::uint32_t field(std::uint32_t value, unsigned low, unsigned high) {
  return (value >> low) & ((1u << (high - low + 1)) - 1);
}

unsigned bits_for(std::uint32_t count) { return static_cast<unsigned>(std::bit_width(count - 1)); }

TEST(CpuidTopology, LeafOneHasIdAndCount) {
  for (const Leaves &host : {amd_host(), intel_host()})
    for_each_vcpu(host, [](const Case &made) {
      const auto basic = ask(made.leaves, 1);
      const auto all_bits = ask(made.leaves, 0xb, 1).eax;
      EXPECT_EQ(field(basic.ebx, 24, 31), made.cpu & 0xff);
      EXPECT_EQ(field(basic.ebx, 0, 15), 0x0800u); // brand and CLFLUSH stay
      EXPECT_EQ(field(basic.edx, 28, 28), made.spec.vcpus > 1 ? 1u : 0u);
      if (made.spec.vcpus > 1) {
        EXPECT_EQ(bits_for(field(basic.ebx, 16, 23)), std::min(all_bits, 8u));
      }
    });
}

TEST(CpuidTopology, IntelsOlderWayComesToTheSame) {
  for_each_vcpu(intel_host(), [](const Case &made) {
    const auto all_bits = ask(made.leaves, 0xb, 1).eax;
    for (std::uint32_t index = 0; index < 4; ++index) {
      const auto found = ask(made.leaves, 4, index);
      EXPECT_EQ(field(found.eax, 0, 13), field(ask(intel_host(), 4, index).eax, 0, 13));
      const bool is_own = field(found.eax, 5, 7) < 3;
      EXPECT_EQ(bits_for(field(found.eax, 14, 25) + 1), is_own ? made.thread_bits() : all_bits);
      const unsigned core_bits = bits_for(field(found.eax, 26, 31) + 1);
      EXPECT_EQ(core_bits, std::min(all_bits - made.thread_bits(), 6u));
      if (made.spec.vcpus > 1 && all_bits <= 8 && core_bits < 6) {
        EXPECT_EQ(bits_for(field(ask(made.leaves, 1).ebx, 16, 23)) - core_bits, made.thread_bits());
      }
    }
    EXPECT_EQ(ask(made.leaves, 4, 4).eax, 0u);
    EXPECT_EQ(ask(made.leaves, 0x80000008).ecx, 0u); // AMD's alone
  });
}

TEST(CpuidTopology, AmdsLeavesComeToTheSame) {
  for_each_vcpu(amd_host(), [](const Case &made) {
    const auto all_bits = ask(made.leaves, 0xb, 1).eax;
    const auto sizes = ask(made.leaves, 0x80000008);
    EXPECT_EQ(field(sizes.ecx, 12, 15), all_bits);
    EXPECT_EQ(field(sizes.ecx, 0, 7), std::min(made.spec.vcpus - 1, 255u));
    const auto ids = ask(made.leaves, 0x8000001e);
    EXPECT_EQ(ids.eax, apic_id(made.cpu));
    EXPECT_EQ(field(ids.ebx, 0, 7), (made.cpu / made.spec.threads_per_core) & 0xff);
    EXPECT_EQ(field(ids.ebx, 8, 15), made.spec.threads_per_core - 1);
    EXPECT_EQ(ids.ecx, 0u);
    EXPECT_EQ(ask(made.leaves, 0x80000001).ecx, made.spec.vcpus > 1 ? kCmpLegacy : 0u);
    for (std::uint32_t index = 0; index < 4; ++index) {
      const auto found = ask(made.leaves, 0x8000001d, index);
      const bool is_own = field(found.eax, 5, 7) < 3;
      EXPECT_EQ(field(found.eax, 14, 25), (1u << (is_own ? made.thread_bits() : all_bits)) - 1);
      EXPECT_EQ(field(found.eax, 26, 31), 0u); // reserved
    }
    EXPECT_EQ(ask(made.leaves, 0x8000001d, 4).eax, 0u);
  });
}

} // namespace
} // namespace reveille::vmm
