// The LAPIC's timer (SDM 3, 11.5.4 "APIC Timer").
#pragma once

#include <cstdint>
#include <optional>

namespace reveille::vmm::lapic {

/// Counts nanoseconds that it is told; it has no clock of its own. One thread.
class Timer {
public:
  /// LVT timer register, bits 18:17 (11.5.1, figure 11-8). The fourth value is reserved.
  enum class Mode : std::uint8_t { kOneShot = 0, kPeriodic = 1, kTscDeadline = 2, kReserved = 3 };

  /// Ticks of its input clock, undivided: one a nanosecond.
  static constexpr std::uint64_t kInputHz = 1'000'000'000;

  /// A periodic timer fires no more often than this, whatever its count: a guest could otherwise
  /// keep its host busy with nothing else. KVM has the same bound (min_timer_period_us).
  static constexpr std::uint64_t kLeastPeriodNs = 200'000;

  /// Disarms when the mode changes (11.5.4.1 "TSC-Deadline Mode").
  void set_mode(Mode mode);
  /// The divide configuration register. A count that is under way goes on from where it is.
  void set_divide(std::uint32_t value, std::uint64_t now_ns);
  /// Starts a count; 0 stops it. Ignored in TSC-deadline mode.
  void set_initial(std::uint32_t count, std::uint64_t now_ns);
  /// IA32_TSC_DEADLINE; `tsc` is what the guest would read now. 0 disarms. Ignored in the other modes.
  void set_deadline(std::uint64_t value, std::uint64_t now_ns, std::uint64_t tsc, std::uint32_t tsc_khz);

  [[nodiscard]] std::uint32_t divide() const { return divide_; }
  [[nodiscard]] std::uint32_t initial() const { return initial_; }
  [[nodiscard]] std::uint32_t current(std::uint64_t now_ns) const;
  [[nodiscard]] std::uint64_t deadline() const { return deadline_; }

  /// When it fires next.
  [[nodiscard]] std::optional<std::uint64_t> due_ns() const { return due_ns_; }

  /// Whether it has fired since the last look. However many periods have gone by, they are
  /// one: their interrupts would merge in IRR.
  bool expire(std::uint64_t now_ns);

private:
  [[nodiscard]] std::uint64_t divisor() const;
  [[nodiscard]] std::uint64_t period_ns() const;
  void disarm();

  Mode mode_ = Mode::kOneShot;
  std::uint32_t divide_ = 0;
  std::uint32_t initial_ = 0;
  std::uint64_t deadline_ = 0; ///< IA32_TSC_DEADLINE as it reads; 0: not armed
  std::optional<std::uint64_t> due_ns_;
};

} // namespace reveille::vmm::lapic
