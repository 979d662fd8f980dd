// Model-specific registers by the manual's names (SDM vol. 4, chapter 2 "MSRs").
#pragma once

#include <cstdint>

namespace reveille::guest::x86 {

inline constexpr std::uint32_t kIa32ApicBase = 0x1b;
inline constexpr std::uint32_t kIa32TscDeadline = 0x6e0;
inline constexpr std::uint32_t kIa32Efer = 0xc0000080;
inline constexpr std::uint32_t kIa32GsBase = 0xc0000101;

/// IA32_APIC_BASE (SDM vol. 3A, "Local APIC Status and Location").
struct ApicBase {
  static constexpr std::uint64_t kBsp = 1u << 8;
  static constexpr std::uint64_t kX2Apic = 1u << 10; // EXTD
  static constexpr std::uint64_t kEnable = 1u << 11; // EN
  static constexpr std::uint64_t kAddress = 0x000f'ffff'ffff'f000;
};

/// IA32_EFER (SDM vol. 3A, 2.2.1 "Extended Feature Enable Register").
struct Efer {
  static constexpr std::uint32_t kLongModeEnable = 1u << 8;
};

/// CR0 and CR4 (SDM vol. 3A, 2.5 "Control Registers").
struct Cr0 {
  static constexpr std::uint32_t kProtectionEnable = 1u << 0;
  static constexpr std::uint32_t kMonitorCoprocessor = 1u << 1;
  static constexpr std::uint32_t kExtensionType = 1u << 4;
  static constexpr std::uint32_t kNumericError = 1u << 5;
  static constexpr std::uint32_t kWriteProtect = 1u << 16;
  static constexpr std::uint32_t kPaging = 1u << 31;
};
struct Cr4 {
  static constexpr std::uint32_t kPhysicalAddressExtension = 1u << 5;
};

} // namespace reveille::guest::x86
