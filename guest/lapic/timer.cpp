#include "guest/lapic/timer.hpp"

#include "guest/lapic/lapic.hpp"
#include "guest/x86/vectors.hpp"

namespace reveille::guest::lapic {

namespace {

/// Written by choose_timer() alone, before the first kick.
constinit bool by_deadline = false;
/// LAPIC timer ticks per TSC tick, 32 binary digits after the point.
constinit std::uint64_t timer_per_tsc = 0;

constexpr std::uint64_t kCountMax = 0xffff'ffff;

/// The timer's input clock against the TSC, over two milliseconds.
std::uint64_t measure_ratio(std::uint64_t tsc_khz) {
  write(Register::kLvtTimer, kLvtMasked | LvtTimer::kOneShot | x86::kTimerVector);
  write(Register::kDivideConfiguration, kDivideBy1);
  write(Register::kInitialCount, static_cast<std::uint32_t>(kCountMax));
  // The first reading, not the write, starts the measurement: whatever reading costs,
  // both ends cost the same.
  const std::uint32_t from = read(Register::kCurrentCount);
  const std::uint64_t start = x86::rdtsc();
  while (x86::rdtsc() - start < 2 * tsc_khz)
    x86::pause();
  const std::uint32_t to = read(Register::kCurrentCount);
  const std::uint64_t ticks = x86::rdtsc() - start;
  write(Register::kInitialCount, 0); // stops it
  return (std::uint64_t{from - to} << 32) / ticks;
}

} // namespace

bool choose_timer(std::uint64_t tsc_khz, std::uint64_t lapic_hz) {
  constexpr std::uint32_t kCpuidTscDeadline = 1u << 24; // CPUID.01H:ECX
  by_deadline = (x86::cpuid(1).ecx & kCpuidTscDeadline) != 0;
  if (by_deadline)
    return true;
  if (lapic_hz != 0 && lapic_hz <= kCountMax)
    timer_per_tsc = (lapic_hz << 32) / (tsc_khz * 1000);
  else
    timer_per_tsc = measure_ratio(tsc_khz);
  return timer_per_tsc != 0;
}

void prepare_timer() {
  const std::uint32_t mode = by_deadline ? LvtTimer::kTscDeadline : LvtTimer::kOneShot;
  write(Register::kLvtTimer, kLvtMasked | mode | x86::kTimerVector);
  if (!by_deadline)
    write(Register::kDivideConfiguration, kDivideBy1);
}

void set_timer(std::uint64_t deadline) {
  if (by_deadline) {
    write(Register::kLvtTimer, LvtTimer::kTscDeadline | x86::kTimerVector);
    // In xAPIC mode the LVT is written through memory and the deadline is an MSR, which
    // may otherwise overtake it (SDM vol. 3A, 11.5.4.1 "TSC-Deadline Mode").
    x86::full_barrier();
    x86::wrmsr(x86::kIa32TscDeadline, deadline == 0 ? 1 : deadline); // 0 would disarm
    return;
  }
  const std::uint64_t now = x86::rdtsc();
  const std::uint64_t ticks = deadline > now ? deadline - now : 0;
  const auto counts = static_cast<unsigned __int128>(ticks) * timer_per_tsc >> 32;
  // 0 would stop it; rounding down would only wake up to find that it is too early.
  const std::uint64_t count = counts >= kCountMax ? kCountMax : static_cast<std::uint64_t>(counts) + 1;
  write(Register::kLvtTimer, LvtTimer::kOneShot | x86::kTimerVector);
  write(Register::kInitialCount, static_cast<std::uint32_t>(count));
}

void stop_timer() {
  write(Register::kLvtTimer,
        kLvtMasked | (by_deadline ? LvtTimer::kTscDeadline : LvtTimer::kOneShot) | x86::kTimerVector);
  if (by_deadline)
    x86::wrmsr(x86::kIa32TscDeadline, 0);
  else
    write(Register::kInitialCount, 0);
}

} // namespace reveille::guest::lapic
