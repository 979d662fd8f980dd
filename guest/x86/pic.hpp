// The 8259 interrupt controllers, which the guest does not use.
#pragma once

#include "guest/x86/cpu.hpp"

namespace reveille::guest::x86 {

/// Masks both. Firmware leaves them on, with a timer that ticks on vector 8, where
/// exceptions are.
inline void silence_pics() {
  constexpr std::uint16_t kMaster = 0x21; // OCW1 (Intel 8259A data sheet)
  constexpr std::uint16_t kSlave = 0xa1;
  constexpr std::uint8_t kAll = 0xff;
  out8(kMaster, kAll);
  out8(kSlave, kAll);
}

} // namespace reveille::guest::x86
