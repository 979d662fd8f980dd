// The ACPI power management timer (ACPI 6.4, 4.8.2.1 "Power Management Timer").
#pragma once

#include "guest/x86/cpu.hpp"

#include <cstdint>

namespace reveille::guest::clock {

class PmTimer {
public:
  static constexpr std::uint64_t kFrequency = 3'579'545;

  PmTimer(std::uint16_t port, bool is_32_bit) : port_(port), mask_(is_32_bit ? 0xffff'ffff : 0x00ff'ffff) {}

  [[nodiscard]] std::uint32_t read() const { return x86::in32(port_); }
  [[nodiscard]] std::uint32_t mask() const { return mask_; }

private:
  std::uint16_t port_;
  std::uint32_t mask_;
};

} // namespace reveille::guest::clock
