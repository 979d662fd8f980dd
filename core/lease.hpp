// The lease: how CPU 0 leaves one AP to another control CPU, and gets it back. One word per
// control CPU; whoever the phase belongs to has the AP's control object, and nobody else.
#pragma once

#include "core/environment.hpp"

#include <cstdint>

namespace reveille::core {

/// A lease word, taken apart. Bits 63:32 the AP, 31:24 phase, 23:0 how often it was renewed.
struct Lease {
  enum class Phase : std::uint8_t {
    kNone,     ///< CPU 0's: may be given out
    kHeld,     ///< the control CPU's, which renews it; CPU 0 may shut it out
    kReturned, ///< CPU 0's again: the control CPU has done what it was asked for
    kFenced,   ///< shut out: the control CPU must let go, and until it has, nobody has the AP
    kLetGo,    ///< CPU 0's: the control CPU has seen the fence and touches nothing any more
  };

  std::uint32_t child = 0;
  Phase phase = Phase::kNone;
  std::uint32_t renewals = 0;

  friend constexpr bool operator==(const Lease &, const Lease &) = default;

  [[nodiscard]] constexpr std::uint64_t bits() const {
    return (std::uint64_t{child} << 32) | (std::uint64_t{static_cast<std::uint8_t>(phase)} << 24) |
           (renewals & kRenewals);
  }
  [[nodiscard]] static constexpr Lease from(std::uint64_t bits) {
    return {static_cast<std::uint32_t>(bits >> 32), static_cast<Phase>(static_cast<std::uint8_t>(bits >> 24)),
            static_cast<std::uint32_t>(bits) & kRenewals};
  }
  [[nodiscard]] constexpr Lease with(Phase next) const { return {child, next, renewals}; }

private:
  static constexpr std::uint32_t kRenewals = 0xff'ffff;
};

/// The control CPU's side of a lease that it holds.
template <AtomicCell A> class HeldLease {
public:
  /// Takes the lease up. Acquire: pairs with the release in grant(); the control object is as
  /// CPU 0 left it.
  explicit HeldLease(A &cell) : cell_(cell), mine_(cell.load(std::memory_order_acquire)) {}

  [[nodiscard]] std::uint32_t child() const { return Lease::from(mine_).child; }
  [[nodiscard]] bool is_held() const { return Lease::from(mine_).phase == Lease::Phase::kHeld; }

  /// Says that this CPU still works. False: it has been shut out.
  [[nodiscard]] bool renew() {
    Lease next = Lease::from(mine_);
    ++next.renewals;
    // Relaxed: nothing changes hands.
    return swap(next.bits(), std::memory_order_relaxed);
  }

  /// Gives the AP back. False: shut out meanwhile.
  [[nodiscard]] bool give_back() {
    // Release: pairs with CPU 0's acquire in Driver::collect(), which takes the AP over.
    return swap(Lease::from(mine_).with(Lease::Phase::kReturned).bits(), std::memory_order_release);
  }

  /// After having been shut out: touches nothing of the AP any more.
  void let_go() {
    // Release: as in give_back().
    cell_.store(Lease::from(mine_).with(Lease::Phase::kLetGo).bits(), std::memory_order_release);
  }

private:
  bool swap(std::uint64_t next, std::memory_order order) {
    std::uint64_t expected = mine_;
    if (!cell_.compare_exchange_strong(expected, next, order, std::memory_order_relaxed))
      return false;
    mine_ = next;
    return true;
  }

  A &cell_;
  std::uint64_t mine_;
};

/// CPU 0 leaves `child` to the control CPU whose lease this is. Release: pairs with the acquire
/// in HeldLease.
template <AtomicCell A> void grant(A &cell, std::uint32_t child) {
  cell.store(Lease{child, Lease::Phase::kHeld, 0}.bits(), std::memory_order_release);
}

/// CPU 0 shuts a control CPU out that has not renewed its lease since `seen`. False: it has
/// renewed it, or is done. Relaxed: nothing changes hands before it has let go.
template <AtomicCell A> [[nodiscard]] bool fence(A &cell, std::uint64_t seen) {
  return cell.compare_exchange_strong(seen, Lease::from(seen).with(Lease::Phase::kFenced).bits(),
                                      std::memory_order_relaxed, std::memory_order_relaxed);
}

} // namespace reveille::core
