// Channel 2 of the 8254 timer, the one that raises no interrupt (Intel 8254 data sheet).
#pragma once

#include "guest/x86/cpu.hpp"

#include <cstdint>

namespace reveille::guest::clock {

class Pit {
public:
  static constexpr std::uint64_t kFrequency = 1'193'182;

  Pit() {
    // The gate on, so that it counts, and the speaker off.
    x86::out8(kControlB, static_cast<std::uint8_t>((x86::in8(kControlB) & ~kSpeaker) | kGate));
    x86::out8(kCommand, kChannel2 | kLowThenHigh | kMode0);
    x86::out8(kData, 0xff);
    x86::out8(kData, 0xff);
  }

  /// It counts down; turned round here.
  [[nodiscard]] std::uint32_t read() const {
    x86::out8(kCommand, kChannel2 | kLatch);
    const std::uint32_t low = x86::in8(kData);
    const std::uint32_t high = x86::in8(kData);
    return ~((high << 8) | low) & 0xffff;
  }
  [[nodiscard]] std::uint32_t mask() const { return 0xffff; }

private:
  static constexpr std::uint16_t kData = 0x42;
  static constexpr std::uint16_t kCommand = 0x43;
  static constexpr std::uint16_t kControlB = 0x61; // of the PC's port B
  static constexpr unsigned kGate = 1;
  static constexpr unsigned kSpeaker = 2;
  static constexpr std::uint8_t kChannel2 = 2 << 6;
  static constexpr std::uint8_t kLatch = 0 << 4;
  static constexpr std::uint8_t kLowThenHigh = 3 << 4;
  static constexpr std::uint8_t kMode0 = 0 << 1;
};

} // namespace reveille::guest::clock
