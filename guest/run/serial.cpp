#include "guest/run/serial.hpp"

#include "guest/x86/cpu.hpp"

namespace reveille::guest::run {

namespace {

/// COM1's registers, by the data sheet's names (PC16550D).
constexpr std::uint16_t kBase = 0x3f8;
constexpr std::uint16_t kTransmitHolding = kBase + 0;
constexpr std::uint16_t kDivisorLow = kBase + 0;
constexpr std::uint16_t kInterruptEnable = kBase + 1;
constexpr std::uint16_t kDivisorHigh = kBase + 1;
constexpr std::uint16_t kFifoControl = kBase + 2;
constexpr std::uint16_t kLineControl = kBase + 3;
constexpr std::uint16_t kLineStatus = kBase + 5;

constexpr std::uint8_t kDivisorAccess = 1u << 7;
constexpr std::uint8_t kEightBits = 3;
constexpr std::uint8_t kFifoEnable = 1;
constexpr std::uint8_t kTransmitEmpty = 1u << 5;

constexpr unsigned kPatience = 100'000; // looks at a port that takes a byte in 87 us

bool put(char c) {
  for (unsigned i = 0; i < kPatience; ++i) {
    if ((x86::in8(kLineStatus) & kTransmitEmpty) != 0) {
      x86::out8(kTransmitHolding, static_cast<std::uint8_t>(c));
      return true;
    }
    x86::pause();
  }
  return false;
}

} // namespace

void open_serial() {
  x86::out8(kInterruptEnable, 0);
  x86::out8(kLineControl, kDivisorAccess);
  x86::out8(kDivisorLow, 1); // 115200 baud
  x86::out8(kDivisorHigh, 0);
  x86::out8(kLineControl, kEightBits);
  x86::out8(kFifoControl, kFifoEnable);
}

void write_serial(std::string_view text) {
  for (const char c : text)
    if (!put(c))
      return;
}

} // namespace reveille::guest::run
