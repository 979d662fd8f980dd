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

constexpr std::uint32_t kMostLogical = 255; // EBX bits 23:16

// Level types of leaves 0xB and 0x1F, ECX bits 15:8.
constexpr std::uint32_t kLevelThread = 1u << 8;
constexpr std::uint32_t kLevelCore = 2u << 8;

// Leaf 0x80000001: where leaf 1 has HTT, its count is that of leaf 0x80000008. APM 3, E.5.1 "Legacy
// Method".
constexpr std::uint32_t kEcxCmpLegacy = 1u << 1;

constexpr std::uint32_t kHypervisorBase = 0x40000000;
constexpr std::uint32_t kFrequencies = 0x40000010;

using Leaves = std::vector<kvm_cpuid_entry2>;

kvm_cpuid_entry2 *find(Leaves &leaves, std::uint32_t function) {
  const auto at = std::find_if(leaves.begin(), leaves.end(),
                               [&](const kvm_cpuid_entry2 &leaf) { return leaf.function == function; });
  return at != leaves.end() ? &*at : nullptr;
}

/// Whether the topology is told in AMD's leaves: leaf 0, the first four letters of the vendor.
bool is_amd(Leaves &leaves) {
  constexpr std::uint32_t kAuth = 0x68747541; // AuthenticAMD
  constexpr std::uint32_t kHygo = 0x6f677948; // HygonGenuine
  const kvm_cpuid_entry2 *leaf = find(leaves, 0);
  return leaf != nullptr && (leaf->ebx == kAuth || leaf->ebx == kHygo);
}

/// How an APIC ID is made up, from the low bits on; what all the topology leaves are made of.
/// Above `all_bits` an ID is 0, the only package. SDM 3, 9.9.1 "Hierarchical Mapping of Shared
/// Resources".
struct Topology {
  std::uint32_t thread_bits; ///< the thread in its core
  std::uint32_t all_bits;    ///< thread and core
};

Topology topology_of(const CpuidSpec &spec) {
  const auto bits = [](std::uint32_t n) { return static_cast<std::uint32_t>(std::bit_width(n - 1)); };
  const std::uint32_t threads = bits(std::max(spec.threads_per_core, 1u));
  return {threads, std::max(threads, bits(std::max(spec.vcpus, 1u)))};
}

/// SDM 2, CPUID, "INPUT EAX = 01H". The count, rounded up to a power of two, is that of the
/// package's IDs, so that it is never below the threads of a core.
void patch_basic(Leaves &leaves, const CpuidSpec &spec, std::uint32_t apic_id) {
  kvm_cpuid_entry2 *leaf = find(leaves, 1);
  if (leaf == nullptr)
    return;
  const std::uint32_t logical =
      spec.vcpus > 1 ? std::min(std::max(spec.vcpus, spec.threads_per_core), kMostLogical) : 1;
  leaf->ebx = (leaf->ebx & 0x0000ffff) | (logical << 16) | ((apic_id & 0xff) << 24);
  leaf->ecx |= kEcxHypervisor;
  leaf->ecx = spec.offers_x2apic ? leaf->ecx | kEcxX2apic : leaf->ecx & ~kEcxX2apic;
  leaf->ecx = spec.offers_tsc_deadline ? leaf->ecx | kEcxTscDeadline : leaf->ecx & ~kEcxTscDeadline;
  leaf->edx = spec.vcpus > 1 ? leaf->edx | kEdxHtt : leaf->edx & ~kEdxHtt;
}

/// Who shares which cache: leaf 4, and AMD's 0x8000001D, which is made like it. A core has its
/// own first and second level, the package all the rest. SDM 2, CPUID, "INPUT EAX = 04H"; APM 3, E.4,
/// "Function 8000_001Dh—Cache Topology Information".
void patch_caches(Leaves &leaves, std::uint32_t function, const Topology &topology, bool counts_cores) {
  constexpr std::uint32_t kType = 0x1f;       // EAX bits 4:0; 0: no more caches
  constexpr std::uint32_t kLevelShift = 5;    // EAX bits 7:5
  constexpr std::uint32_t kSharingShift = 14; // EAX bits 25:14, IDs that share it, less one
  constexpr std::uint32_t kCoresShift = 26;   // EAX bits 31:26, IDs of cores, less one
  constexpr std::uint32_t kMostCores = 63;
  const auto last_of = [](std::uint32_t bits) { return (1u << bits) - 1; };
  for (kvm_cpuid_entry2 &leaf : leaves) {
    if (leaf.function != function || (leaf.eax & kType) == 0)
      continue;
    const std::uint32_t level = (leaf.eax >> kLevelShift) & 7;
    leaf.eax &= (1u << kSharingShift) - 1;
    leaf.eax |= last_of(level <= 2 ? topology.thread_bits : topology.all_bits) << kSharingShift;
    if (counts_cores)
      leaf.eax |= std::min(last_of(topology.all_bits - topology.thread_bits), kMostCores) << kCoresShift;
  }
}

/// A level for each part of an APIC ID. SDM 2, CPUID, "INPUT EAX = 0BH" and "INPUT EAX = 1FH"; SDM 3,
/// 9.9.2 "Hierarchical Mapping of CPUID Extended Topology Leaf".
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

/// APM 3, E.4 "Extended Feature Function Numbers" and E.5 "Multiple Processor Calculation".
void patch_amd(Leaves &leaves, const CpuidSpec &spec, std::uint32_t apic_id) {
  const Topology topology = topology_of(spec);
  if (kvm_cpuid_entry2 *leaf = find(leaves, 0x80000001))
    leaf->ecx = spec.vcpus > 1 ? leaf->ecx | kEcxCmpLegacy : leaf->ecx & ~kEcxCmpLegacy;
  if (kvm_cpuid_entry2 *leaf = find(leaves, 0x80000008))
    leaf->ecx = (leaf->ecx & 0xffff0000) | (topology.all_bits << 12) | std::min(spec.vcpus - 1, 255u);
  if (kvm_cpuid_entry2 *leaf = find(leaves, 0x8000001e)) {
    leaf->eax = apic_id;
    leaf->ebx = ((spec.threads_per_core - 1) << 8) | ((apic_id >> topology.thread_bits) & 0xff);
    leaf->ecx = 0; // one node
  }
  patch_caches(leaves, 0x8000001d, topology, false);
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
  patch_caches(leaves, 4, topology_of(spec), true);
  put_topology(leaves, 0xb, spec, apic_id);
  if (has_v2_topology)
    put_topology(leaves, 0x1f, spec, apic_id);
  if (kvm_cpuid_entry2 *first = find(leaves, 0))
    first->eax = std::max(first->eax, 0xbu);
  if (is_amd(leaves))
    patch_amd(leaves, spec, apic_id);
  put_frequencies(leaves, spec);
  return leaves;
}

} // namespace reveille::vmm
