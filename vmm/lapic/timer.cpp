#include "vmm/lapic/timer.hpp"

#include <algorithm>
#include <limits>

namespace reveille::vmm::lapic {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

/// a + b, or the end of time.
std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) { return a > kNever - b ? kNever : a + b; }

/// Rounded up, so that no deadline comes early.
std::uint64_t ns_of(std::uint64_t tsc_ticks, std::uint32_t tsc_khz) {
  constexpr unsigned kNsPerMs = 1'000'000;
  const std::uint64_t khz = std::max(tsc_khz, 1u);
  const auto ns = (static_cast<unsigned __int128>(tsc_ticks) * kNsPerMs + khz - 1) / khz;
  return ns > kNever ? kNever : static_cast<std::uint64_t>(ns);
}

} // namespace

/// 11.5.4, figure 11-10: bits 3, 1 and 0 are the power of two less one; all ones: 1.
std::uint64_t Timer::divisor() const {
  const std::uint32_t field = (divide_ >> 1 & 4) | (divide_ & 3);
  return std::uint64_t{1} << ((field + 1) & 7);
}

std::uint64_t Timer::period_ns() const {
  const std::uint64_t period = initial_ * divisor();
  return mode_ == Mode::kPeriodic ? std::max(period, kLeastPeriodNs) : period;
}

void Timer::disarm() {
  due_ns_.reset();
  deadline_ = 0;
}

void Timer::set_mode(Mode mode) {
  if (mode != mode_) {
    disarm();
    initial_ = 0;
  }
  mode_ = mode;
}

void Timer::set_divide(std::uint32_t value, std::uint64_t now_ns) {
  const std::uint32_t left = current(now_ns);
  divide_ = value;
  if (due_ns_ && mode_ != Mode::kTscDeadline)
    due_ns_ = saturating_add(now_ns, left * divisor());
}

void Timer::set_initial(std::uint32_t count, std::uint64_t now_ns) {
  if (mode_ == Mode::kTscDeadline)
    return;
  initial_ = count;
  due_ns_.reset();
  if (count != 0)
    due_ns_ = saturating_add(now_ns, period_ns());
}

void Timer::set_deadline(std::uint64_t value, std::uint64_t now_ns, std::uint64_t tsc,
                         std::uint32_t tsc_khz) {
  if (mode_ != Mode::kTscDeadline)
    return;
  disarm();
  if (value == 0)
    return;
  deadline_ = value;
  due_ns_ = saturating_add(now_ns, value > tsc ? ns_of(value - tsc, tsc_khz) : 0);
}

std::uint32_t Timer::current(std::uint64_t now_ns) const {
  if (mode_ == Mode::kTscDeadline || !due_ns_ || initial_ == 0)
    return 0;
  std::uint64_t left = 0;
  if (*due_ns_ > now_ns)
    left = *due_ns_ - now_ns;
  else if (mode_ == Mode::kPeriodic) // it has been reloaded, perhaps more than once
    left = period_ns() - (now_ns - *due_ns_) % period_ns();
  return static_cast<std::uint32_t>(std::min<std::uint64_t>((left + divisor() - 1) / divisor(), initial_));
}

bool Timer::expire(std::uint64_t now_ns) {
  if (!due_ns_ || now_ns < *due_ns_)
    return false;
  if (mode_ == Mode::kPeriodic) {
    const std::uint64_t period = period_ns();
    due_ns_ = saturating_add(*due_ns_, ((now_ns - *due_ns_) / period + 1) * period);
  } else {
    disarm();
  }
  return true;
}

} // namespace reveille::vmm::lapic
