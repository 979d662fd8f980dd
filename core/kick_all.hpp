// The first kick of all APs at once, by a broadcast: what one by one costs the control CPU an IPI or three
// for each, and a hypervisor a look for each of them at who is meant.
#pragma once

#include "core/policy.hpp"
#include "core/seat.hpp"

#include <algorithm>
#include <span>

namespace reveille::core {

/// Whether the first kick of a run may be that of all: they may all be in flight, and CPU 0 kicks them
/// itself.
template <CpEnvironment E>
[[nodiscard]] bool may_kick_all(E &env, const Settings &settings, const Policy &policy) {
  return policy.in_flight == Policy::kAll && !policy.delegates && !settings.primary_threads_first &&
         env.can_kick_all();
}

/// Prepares and kicks every AP of `seats`, of which none has been started; what came of each is in its
/// seat's outcome. A broadcast reaches whoever waits for a start, so that all must be ready before it, and
/// of the same attempt, whose page it names; else they are kicked one by one.
template <CpEnvironment E> void kick_all(E &env, std::span<Seat<E>> seats) {
  for (Seat<E> &seat : seats)
    seat.outcome = seat.control.prepare(env);
  for (Seat<E> &seat : seats)
    if (seat.outcome == Outcome::kNothing)
      seat.outcome = seat.control.open(env);
  const std::uint32_t attempt = seats.front().control.attempt();
  if (std::all_of(seats.begin(), seats.end(), [&](const Seat<E> &seat) {
        return seat.outcome == Outcome::kTurn && seat.control.attempt() == attempt;
      })) {
    env.kick_all(attempt);
    return;
  }
  for (Seat<E> &seat : seats)
    if (seat.outcome == Outcome::kTurn)
      env.kick(seat.control.cpu(), seat.control.attempt());
}

} // namespace reveille::core
