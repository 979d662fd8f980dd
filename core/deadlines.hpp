// The CPUs that are given a time, each in a list in the order of the ends.
#pragma once

#include "core/seat.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

namespace reveille::core {

/// What is in one list lasts equally long for all in it, so that whoever came last ends last.
template <CpEnvironment E> struct Deadlines {
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  std::span<Seat<E>> seats;
  CpuList turns;  ///< APs whose turn it is
  CpuList leases; ///< control CPUs that have a lease
  CpuList rests;  ///< APs that were stopped, and will be kicked again

  /// `cpu` has until `end`, and is in no other of these lists.
  void begin(CpuList &list, unsigned cpu, std::uint64_t end) {
    stop(cpu);
    seats[cpu].deadline = end;
    SeatLinks<E> links{seats};
    list.push_back(links, cpu);
  }

  /// `cpu` is out of the list that it is in, if it is one of these.
  void stop(unsigned cpu) {
    CpuList *in = seats[cpu].link.list;
    if (in != &turns && in != &leases && in != &rests)
      return;
    SeatLinks<E> links{seats};
    in->remove(links, cpu);
  }

  /// Whether the time of the first one in `list` is over.
  [[nodiscard]] bool is_over(const CpuList &list, std::uint64_t now) const { return first_in(list) <= now; }

  /// When the next one's time is over; kNever: nobody has been given any.
  [[nodiscard]] std::uint64_t first() const {
    return std::min({first_in(turns), first_in(leases), first_in(rests)});
  }

private:
  [[nodiscard]] std::uint64_t first_in(const CpuList &list) const {
    return list.empty() ? kNever : seats[list.front()].deadline;
  }
};

} // namespace reveille::core
