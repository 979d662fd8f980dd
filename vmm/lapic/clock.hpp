// The two clocks that a LAPIC's timer goes by.
#pragma once

#include <cstdint>

namespace reveille::vmm::lapic {

class Clock {
public:
  Clock() = default;
  virtual ~Clock() = default;
  Clock(const Clock &) = delete;
  Clock &operator=(const Clock &) = delete;

  [[nodiscard]] virtual std::uint64_t now_ns() const = 0; ///< monotonic
  [[nodiscard]] virtual std::uint64_t tsc() const = 0;    ///< what the guest would read now
  [[nodiscard]] virtual std::uint32_t tsc_khz() const = 0;
};

} // namespace reveille::vmm::lapic
