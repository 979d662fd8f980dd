// The interrupt vectors that the guest uses.
#pragma once

#include <cstdint>

namespace reveille::guest::x86 {

/// Exceptions by the manual's mnemonics (SDM vol. 3A, table 6-1), as far as the code names them.
inline constexpr std::uint8_t kNonMaskable = 2;
inline constexpr std::uint8_t kDoubleFault = 8;
inline constexpr std::uint8_t kMachineCheck = 18;
inline constexpr unsigned kExceptionCount = 32;

/// Ours. The upper four bits are the priority class: an AP that is not up yet admits
/// class 15 alone, which is the wake vector and the LAPIC's own spurious vector.
inline constexpr std::uint8_t kWorkerVector = 0xe0;
inline constexpr std::uint8_t kTimerVector = 0xe8;
inline constexpr std::uint8_t kWakeVector = 0xf0;
inline constexpr std::uint8_t kSpuriousVector = 0xff;

inline constexpr unsigned kVectorCount = 256;

} // namespace reveille::guest::x86
