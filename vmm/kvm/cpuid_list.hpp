// KVM's CPUID list with room for as many entries as the kernel takes.
#pragma once

#include <linux/kvm.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace reveille::vmm {

/// A kvm_cpuid2 and its entries. Spelled out, because the kernel header's flexible array lies
/// elsewhere in C++ than in C: its empty structure has a size there.
struct CpuidList {
  static constexpr std::size_t kRoom = 256; ///< KVM_MAX_CPUID_ENTRIES

  std::uint32_t nent = kRoom;
  std::uint32_t padding = 0;
  std::array<kvm_cpuid_entry2, kRoom> entries = {};
};
static_assert(offsetof(CpuidList, entries) == 8 && sizeof(kvm_cpuid_entry2) == 40);

} // namespace reveille::vmm
