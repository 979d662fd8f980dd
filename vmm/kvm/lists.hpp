// The structures of KVM that end in a list, and the calls that take them. They are spelled
// out, because the kernel's header declares such a list with an empty structure in front,
// which has a size in C++ and none in C: offset, size and so the ioctl's number would be wrong.
#pragma once

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace reveille::vmm {

/// A kvm_xsave: what XSAVE writes, without what goes beyond it (KVM_CAP_XSAVE2).
using XsaveArea = std::array<std::uint32_t, 1024>;

/// What stands before the list, in C's layout.
struct ListHead {
  std::uint32_t count;
  std::uint32_t padding;
};

// Numbers as in linux/kvm.h.
inline constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, ListHead); ///< KVM_GET_SUPPORTED_CPUID
inline constexpr unsigned long kSetCpuid2 = _IOW(KVMIO, 0x90, ListHead);          ///< KVM_SET_CPUID2
inline constexpr unsigned long kGetMsrs = _IOWR(KVMIO, 0x88, ListHead);           ///< KVM_GET_MSRS
inline constexpr unsigned long kSetMsrs = _IOW(KVMIO, 0x89, ListHead);            ///< KVM_SET_MSRS
inline constexpr unsigned long kGetXsave = _IOR(KVMIO, 0xa4, XsaveArea);          ///< KVM_GET_XSAVE
inline constexpr unsigned long kSetXsave = _IOW(KVMIO, 0xa5, XsaveArea);          ///< KVM_SET_XSAVE
/// KVM_GET_MSR_INDEX_LIST
inline constexpr unsigned long kGetMsrIndexList = _IOWR(KVMIO, 0x02, std::uint32_t);

/// A kvm_cpuid2 with room for as many entries as the kernel takes.
struct CpuidList {
  static constexpr std::size_t kRoom = 256; ///< KVM_MAX_CPUID_ENTRIES

  ListHead head = {kRoom, 0};
  std::array<kvm_cpuid_entry2, kRoom> entries = {};
};
static_assert(offsetof(CpuidList, entries) == 8 && sizeof(kvm_cpuid_entry2) == 40);

/// A kvm_msrs of one.
struct OneMsr {
  ListHead head = {1, 0};
  kvm_msr_entry entry = {};
};
static_assert(offsetof(OneMsr, entry) == 8 && sizeof(OneMsr) == 24);

/// A kvm_msrs with room for as many as are asked for at a time.
struct MsrList {
  static constexpr std::size_t kRoom = 128;

  ListHead head = {0, 0};
  std::array<kvm_msr_entry, kRoom> entries = {};
};
static_assert(offsetof(MsrList, entries) == 8 && sizeof(kvm_msr_entry) == 16);

/// A kvm_msr_list with room for more than any kernel has.
struct MsrIndexList {
  static constexpr std::uint32_t kRoom = 1024;

  std::uint32_t count = kRoom;
  std::array<std::uint32_t, kRoom> indices = {};
};
static_assert(offsetof(MsrIndexList, indices) == 4);

} // namespace reveille::vmm
