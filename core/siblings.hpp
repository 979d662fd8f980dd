// Threads of a core that wait for their primary: a list for each primary, through the seats.
#pragma once

#include "core/seat.hpp"

#include <span>
#include <utility>

namespace reveille::core {

/// `cpu` is to wait until `primary` is decided.
template <CpEnvironment E> void put_behind(std::span<Seat<E>> seats, unsigned primary, unsigned cpu) {
  seats[cpu].next_sibling = std::exchange(seats[primary].first_sibling, cpu);
}

/// Calls visit(cpu) for each that waits for `primary`; none does afterwards.
template <CpEnvironment E, class Visit>
void take_siblings(std::span<Seat<E>> seats, unsigned primary, Visit &&visit) {
  std::uint32_t next = std::exchange(seats[primary].first_sibling, kNoCpu);
  while (next != kNoCpu)
    visit(std::exchange(next, seats[next].next_sibling));
}

} // namespace reveille::core
