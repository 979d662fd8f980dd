// What a run asks of the core.
#pragma once

#include "core/abi/control_page.hpp"

#include <algorithm>
#include <cstdint>

namespace reveille::core {

struct Settings {
  unsigned cpus = 1; ///< to bring up, CPU 0 included
  abi::Strategy strategy = abi::Strategy::kParallel;
  abi::Stop stop = abi::Stop::kInit;
  unsigned window = 0;                ///< APs in flight at once, 0: all
  unsigned attempts = 1;              ///< at most, per AP and cycle
  bool primary_threads_first = false; ///< a sibling is kicked when its primary is decided
  std::uint64_t timeout = 0;          ///< of each AP turn, ticks
  std::uint64_t tsc_wait = 0;         ///< how long an AP waits to be called to the TSC rendezvous, ticks
  std::uint64_t tsc_look = 0;         ///< how long each side then looks for the other's next mark, ticks
  std::uint64_t recheck = 0; ///< how long the CP trusts an interrupt to come after it has stopped CPUs, ticks
  std::uint64_t rest = 0;    ///< between the stop of an AP and its next kick, ticks
  unsigned tsc_rounds = 4;   ///< of ping and pong; the first is a wake-up and is not measured

  /// The bounds of the TSC rendezvous follow from the timeout. An AP may have to queue for
  /// the one CP, so it waits long, but far below its own turn. Once they have met, each mark is looked for
  /// for a quarter of a millisecond at most: who has not answered by then has lost its processor to somebody
  /// who could use the one of him who looks. A stop is an INIT, and the manual asks for
  /// 10 ms behind each (SDM vol. 3A, 9.4.4.1): while KVM still resets the vCPU for it, a further INIT
  /// and SIPIs may come out of their order, and the AP then waits for a SIPI that has been used up.
  constexpr void set_timeout(std::uint64_t ticks, std::uint64_t ticks_per_ms) {
    timeout = ticks;
    tsc_wait = ticks / 4;
    tsc_look = std::min(ticks / 64, ticks_per_ms / 4);
    recheck = std::min(ticks / 64, 2 * ticks_per_ms);
    rest = std::min(ticks / 4, 10 * ticks_per_ms);
  }
};

} // namespace reveille::core
