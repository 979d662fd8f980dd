#include "vmm/machine/cpuid.hpp"

#include <algorithm>
#include <bit>

namespace reveille::vmm {
namespace {

// Leaf 1, SDM 2, CPUID, tables "Feature Information Returned".
constexpr std::uint32_t kEcxX2apic = 1u << 21;
constexpr std::uint32_t kEcxTscDeadline = 1u << 24;
constexpr std::uint32_t kEcxHypervisor = 1u << 31;
constexpr std::uint32_t kEdxHtt = 1u << 28;

// Level types of leaves 0xB and 0x1F, ECX bits 15:8.
constexpr std::uint32_t kLevelThread = 1u << 8;
constexpr std::uint32_t kLevelCore = 2u << 8;

constexpr std::uint32_t kHypervisorBase = 0x40000000;
constexpr std::uint32_t kFrequencies = 0x40000010;

using Leaves = std::vector<kvm_cpuid_entry2>;

kvm_cpuid_entry2 *find(Leaves &leaves, std::uint32_t function) {
  const auto at = std::find_if(leaves.begin(), leaves.end(),
                               [&](const kvm_cpuid_entry2 &leaf) { return leaf.function == function; });
  return at != leaves.end() ? &*at : nullptr;
}

/// What all the topology leaves are made of.
struct Topology {
  std::uint32_t thread_bits; ///< of the APIC ID
  std::uint32_t all_bits;    ///< threads and cores
};

Topology topology_of(const CpuidSpec &spec) {
  const auto bits = [](std::uint32_t n) { return static_cast<std::uint32_t>(std::bit_width(n - 1)); };
  const std::uint32_t threads = bits(std::max(spec.threads_per_core, 1u));
  return {threads, std::max(threads, bits(std::max(spec.vcpus, 1u)))};
}

void patch_basic(Leaves &leaves, const CpuidSpec &spec, std::uint32_t apic_id) {
  kvm_cpuid_entry2 *leaf = find(leaves, 1);
  if (leaf == nullptr)
    return;
  const std::uint32_t logical = std::min(spec.vcpus, 255u);
  leaf->ebx = (leaf->ebx & 0x0000ffff) | (logical << 16) | ((apic_id & 0xff) << 24);
  leaf->ecx |= kEcxHypervisor;
  leaf->ecx = spec.offers_x2apic ? leaf->ecx | kEcxX2apic : leaf->ecx & ~kEcxX2apic;
  leaf->ecx = spec.offers_tsc_deadline ? leaf->ecx | kEcxTscDeadline : leaf->ecx & ~kEcxTscDeadline;
  leaf->edx = spec.vcpus > 1 ? leaf->edx | kEdxHtt : leaf->edx & ~kEdxHtt;
}

void put_topology(Leaves &leaves, std::uint32_t function, const CpuidSpec &spec, std::uint32_t apic_id) {
  const Topology topology = topology_of(spec);
  std::erase_if(leaves, [&](const kvm_cpuid_entry2 &leaf) { return leaf.function == function; });
  const auto level = [&](std::uint32_t index, std::uint32_t shift, std::uint32_t count, std::uint32_t type) {
    kvm_cpuid_entry2 leaf = {};
    leaf.function = function;
    leaf.index = index;
    leaf.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
    leaf.eax = shift;
    leaf.ebx = count;
    leaf.ecx = index | type;
    leaf.edx = apic_id;
    leaves.push_back(leaf);
  };
  level(0, topology.thread_bits, std::min(spec.threads_per_core, spec.vcpus), kLevelThread);
  level(1, topology.all_bits, spec.vcpus, kLevelCore);
  level(2, 0, 0, 0); // the end of the list still names the CPU
}

void patch_amd(Leaves &leaves, const CpuidSpec &spec, std::uint32_t apic_id) {
  const Topology topology = topology_of(spec);
  if (kvm_cpuid_entry2 *leaf = find(leaves, 0x80000008); leaf != nullptr && leaf->ecx != 0)
    leaf->ecx = (leaf->ecx & 0xffff0000) | (topology.all_bits << 12) | std::min(spec.vcpus - 1, 255u);
  if (kvm_cpuid_entry2 *leaf = find(leaves, 0x8000001e)) {
    leaf->eax = apic_id;
    leaf->ebx = ((spec.threads_per_core - 1) << 8) | ((apic_id >> topology.thread_bits) & 0xff);
    leaf->ecx = 0; // one node
  }
}

/// KVM's own leaves stay; the frequencies, a convention that several hypervisors share, come behind.
void put_frequencies(Leaves &leaves, const CpuidSpec &spec) {
  kvm_cpuid_entry2 *base = find(leaves, kHypervisorBase);
  if (base == nullptr || spec.tsc_khz == 0)
    return;
  base->eax = std::max(base->eax, kFrequencies);
  std::erase_if(leaves, [](const kvm_cpuid_entry2 &leaf) { return leaf.function == kFrequencies; });
  kvm_cpuid_entry2 leaf = {};
  leaf.function = kFrequencies;
  leaf.eax = spec.tsc_khz;
  leaf.ebx = static_cast<std::uint32_t>(kLapicHz / 1000);
  leaves.push_back(leaf);
}

} // namespace

std::vector<kvm_cpuid_entry2> vcpu_cpuid(std::span<const kvm_cpuid_entry2> supported, const CpuidSpec &spec,
                                         std::uint32_t apic_id) {
  Leaves leaves(supported.begin(), supported.end());
  const bool has_v2_topology = find(leaves, 0x1f) != nullptr;
  patch_basic(leaves, spec, apic_id);
  put_topology(leaves, 0xb, spec, apic_id);
  if (has_v2_topology)
    put_topology(leaves, 0x1f, spec, apic_id);
  if (kvm_cpuid_entry2 *first = find(leaves, 0))
    first->eax = std::max(first->eax, 0xbu);
  patch_amd(leaves, spec, apic_id);
  put_frequencies(leaves, spec);
  return leaves;
}

} // namespace reveille::vmm
