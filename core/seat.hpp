// What the control side keeps of one CPU.
#pragma once

#include "core/control.hpp"
#include "core/cpu_list.hpp"

#include <span>

namespace reveille::core {

/// A CPU as the control side sees it. Element n is CPU n's; of CPU 0's little is used. CPU 0's,
/// all of it, except that the control object and `outcome` are with the control CPU that the AP
/// is left to (core/lease.hpp).
template <CpEnvironment E> struct Seat {
  Control<E> control;
  std::uint64_t deadline = 0; ///< the end of its turn, or as a control CPU of its lease
  CpuLink link;
  std::uint32_t control_cpu = kNoCpu;   ///< to which it is left; kNoCpu: CPU 0
  std::uint64_t lease = 0;              ///< the lease that it has given out was last seen so
  std::uint32_t first_sibling = kNoCpu; ///< of those that wait for this primary thread
  std::uint32_t next_sibling = kNoCpu;
  Outcome outcome = Outcome::kNothing; ///< what the other control CPU made of it
  Section inside = Section::kNone;     ///< the section that it keeps others out of
  bool finishing = false;              ///< released from alive, and not decided
  bool launched = false;               ///< PREPARE is done, and another control CPU is to kick it
  bool up = false;                     ///< decided so
  bool out = false;                    ///< has failed, and stays out of later cycles
  bool lost = false;                   ///< its control CPU has stopped with it, and has not let go of it
};

/// Where the lists find a CPU's link.
template <CpEnvironment E> struct SeatLinks {
  std::span<Seat<E>> seats;
  CpuLink &operator()(std::uint32_t cpu) { return seats[cpu].link; }
};

} // namespace reveille::core
