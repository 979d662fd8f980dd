// The TSC rendezvous: a bounded number of rounds of ping and pong between the CP and one
// AP. Each side writes a line of its own, tagged with the attempt; the sync word moves
// only when it is over. Either side may close it when its bound is over; the skew is then
// unknown, which is no failure.
#pragma once

#include "core/environment.hpp"
#include "core/settings.hpp"

#include <cstdint>
#include <limits>

namespace reveille::core {

/// What one side has to say: bits 63:32 attempt, 31:16 what, 15:0 round.
struct TscMark {
  enum class What : std::uint16_t { kNothing, kEntered, kRound, kClosed };
  static constexpr std::uint64_t make(std::uint32_t attempt, What what, unsigned round = 0) {
    return (std::uint64_t{attempt} << 32) | (std::uint64_t{static_cast<std::uint16_t>(what)} << 16) | round;
  }
};

struct Skew {
  std::int64_t ticks = 0;       ///< AP minus CP
  std::uint64_t resolution = 0; ///< half a round trip, ticks; 0: the skew is unknown
};

/// The AP's side. Comes back when the rendezvous is over, however it ended.
template <ApEnvironment E, class Announce>
void meet_for_tsc(E &env, std::uint32_t attempt, const Settings &settings, Announce &&announce) {
  using What = TscMark::What;
  auto &mine = env.tsc_ap(env.cpu());
  auto &theirs = env.tsc_cp(env.cpu());
  const std::uint64_t closed = TscMark::make(attempt, What::kClosed);
  // Relaxed, as all but the pong: the mark is all there is to see.
  mine.mark.store(TscMark::make(attempt, What::kEntered), std::memory_order_relaxed);
  announce();
  unsigned round = 1;
  for (; round <= settings.tsc_rounds; ++round) {
    const std::uint64_t ping = TscMark::make(attempt, What::kRound, round);
    const auto called = [&] {
      const std::uint64_t mark = theirs.mark.load(std::memory_order_relaxed);
      return mark == ping || mark == closed;
    };
    if (round == 1 && !env.wait_for(called, settings.tsc_wait))
      break;
    const std::uint64_t since = env.now();
    while (!called() && env.now() - since < settings.tsc_look)
      env.relax();
    if (theirs.mark.load(std::memory_order_relaxed) != ping)
      break;
    mine.tsc.store(env.now(), std::memory_order_relaxed);
    // Release: pairs with the acquire in serve_tsc(), which then reads the stamp.
    mine.mark.store(TscMark::make(attempt, What::kRound, round), std::memory_order_release);
  }
  // Not over the last pong, which the CP may not have seen yet: then it is the CP that closes.
  if (round <= settings.tsc_rounds && theirs.mark.load(std::memory_order_relaxed) != closed)
    mine.mark.store(closed, std::memory_order_relaxed);
}

/// Whether the AP of this attempt is in the rendezvous, and no CP has met it yet.
template <CpEnvironment E> [[nodiscard]] bool wants_tsc(E &env, unsigned cpu, std::uint32_t attempt) {
  using What = TscMark::What;
  return env.tsc_ap(cpu).mark.load(std::memory_order_relaxed) == TscMark::make(attempt, What::kEntered) &&
         env.tsc_cp(cpu).mark.load(std::memory_order_relaxed) != TscMark::make(attempt, What::kClosed);
}

/// The CP's side, with an AP that wants it.
template <CpEnvironment E>
[[nodiscard]] Skew serve_tsc(E &env, unsigned cpu, std::uint32_t attempt, const Settings &settings) {
  using What = TscMark::What;
  auto &mine = env.tsc_cp(cpu);
  auto &theirs = env.tsc_ap(cpu);
  const std::uint64_t closed = TscMark::make(attempt, What::kClosed);
  std::uint64_t best_trip = std::numeric_limits<std::uint64_t>::max();
  Skew best;
  for (unsigned round = 1; round <= settings.tsc_rounds; ++round) {
    const std::uint64_t mark = TscMark::make(attempt, What::kRound, round);
    const std::uint64_t sent = env.now();
    mine.mark.store(mark, std::memory_order_relaxed);
    if (round == 1)
      env.wake(cpu);
    std::uint64_t seen = 0;
    // Acquire: pairs with the pong's release in meet_for_tsc().
    while ((seen = theirs.mark.load(std::memory_order_acquire)) != mark && seen != closed &&
           env.now() - sent < settings.tsc_look)
      env.relax();
    if (seen != mark)
      break;
    const std::uint64_t trip = env.now() - sent;
    const std::uint64_t stamp = theirs.tsc.load(std::memory_order_relaxed);
    if (round > 1 && trip < best_trip) { // the first round is a wake-up
      best_trip = trip;
      best.ticks = static_cast<std::int64_t>(stamp - (sent + trip / 2));
      best.resolution = trip / 2 + 1;
    }
  }
  mine.mark.store(closed, std::memory_order_relaxed);
  env.wake(cpu); // an AP that halts for a ping that will not come
  return best;
}

} // namespace reveille::core
