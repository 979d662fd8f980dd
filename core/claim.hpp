// The claim: what an AP does before it has a stack.
#pragma once

#include "core/environment.hpp"

namespace reveille::core {

struct Claim {
  Word word;        ///< the claimed word, or the one that was in the way
  bool won = false; ///< last: with it in front clang 14 builds the structure on the stack
};

/// Claims the attempt that this trampoline page stands for. An AP that does not win has
/// touched nothing, and must park without a stack.
///
/// `page` is the index of the page that the AP was started on, `pages` how many there are,
/// a power of two. Always inlined: the guest calls it with no stack.
template <AtomicCell A>
[[gnu::always_inline]] inline Claim claim(A &cell, std::uint32_t page, std::uint32_t pages) {
  std::uint64_t seen = cell.load(std::memory_order_relaxed);
  const Word kicked = Word::from(seen);
  if (kicked.state != State::kKicked || (kicked.attempt & (pages - 1)) != page)
    return {kicked, false};
  const Word claimed = kicked.with(State::kClaimed);
  // Acquire: pairs with the swap in Control::kick(), so that what PREPARE wrote is seen.
  // Release: the claim is proof that this CPU's older attempts are over, so all that they did
  // comes before what the CP does on seeing it, in Control::expire().
  if (!cell.compare_exchange_strong(seen, claimed.bits(), std::memory_order_acq_rel,
                                    std::memory_order_relaxed))
    return {Word::from(seen), false};
  return {claimed, true};
}

} // namespace reveille::core
