// The lease by itself: CPU 0 and one control CPU, and an account that only whoever has the AP may
// touch. CPU 0 shuts the control CPU out at any moment: before it has taken the lease up, between
// its renewals, or as it gives the AP back.
#include "relacy_cell.hpp"
#include "relacy_main.hpp"

#include "core/lease.hpp"

namespace reveille::model {
namespace {

using core::HeldLease;
using core::Lease;
using Phase = Lease::Phase;

/// The control CPU renews the lease so many times; CPU 0 looks at it so many times whether it
/// has, and shuts it out if not. If it is left one AP after the other, there are two rounds.
template <unsigned kRenewals, unsigned kLooks, unsigned kRounds = 1>
struct Leasing : rl::test_suite<Leasing<kRenewals, kLooks, kRounds>, 2> {
  Cell cell;
  Plain<unsigned> account; ///< of the AP: how often it has been touched
  Bell cpu0, control;
  unsigned touched = 0;

  Leasing() { stage = Stage{}; }

  void touch() {
    account.set(account.get() + 1);
    ++touched;
  }

  void thread(unsigned index) {
    if (index == 0)
      for (unsigned round = 1; round <= kRounds; ++round)
        give_out(round);
    else
      for (unsigned round = 1; round <= kRounds; ++round)
        take_up(round);
  }

  void give_out(unsigned child) {
    touch(); // as PREPARE, or an earlier attempt
    core::grant(cell, child);
    control.ring();
    std::uint64_t seen = Lease{child, Phase::kHeld, 0}.bits();
    bool fenced = false;
    for (unsigned look = 0; look < kLooks && !fenced; ++look) { // each is the end of the lease's time
      const std::uint64_t now = cell.load(std::memory_order_relaxed);
      const bool is_held = Lease::from(now).phase == Phase::kHeld;
      fenced = is_held && now == seen && core::fence(cell, now);
      seen = now;
    }
    for (;;) { // as Driver::collect()
      const Lease lease = Lease::from(cell.load(std::memory_order_acquire));
      if (lease.phase == Phase::kReturned || lease.phase == Phase::kLetGo) {
        RL_ASSERT(fenced == (lease.phase == Phase::kLetGo));
        RL_ASSERT(lease.child == child);
        break;
      }
      cpu0.halt();
      cell.catch_up(); // what a wake tells
    }
    cell.store(Lease{}.bits(), std::memory_order_relaxed);
    touch();
    RL_ASSERT(account.get() == touched);
  }

  void take_up(unsigned child) {
    for (;;) {
      const Phase phase = Lease::from(cell.load(std::memory_order_relaxed)).phase;
      if (phase == Phase::kHeld || phase == Phase::kFenced)
        break;
      control.halt();
      cell.catch_up();
    }
    HeldLease<Cell> lease(cell);
    bool has_it = lease.is_held();
    RL_ASSERT(lease.child() == child);
    for (unsigned renewal = 0; renewal < kRenewals && has_it; ++renewal) {
      touch(); // shut out already or not: as long as it has not let go, it is alone with the AP
      has_it = lease.renew();
    }
    if (has_it)
      touch();
    if (!has_it || !lease.give_back())
      lease.let_go();
    cpu0.ring();
  }

  void after() { RL_ASSERT(Lease::from(cell.latest()).phase == Phase::kNone); }
};

const std::vector<Case> kCases = {
    {"taken-up", simulate<Leasing<0, 0>>, {}},
    {"fenced-or-given-back", simulate<Leasing<0, 1>>, {}},
    {"fenced-or-renewed", simulate<Leasing<1, 2>>, {}},
    {"fenced-or-renewed-twice", simulate<Leasing<2, 3>>, {}},
    {"again-after-it-has-let-go", simulate<Leasing<1, 1, 2>>, {4}},
};

} // namespace
} // namespace reveille::model

int main(int argc, char **argv) { return reveille::model::run_cases(reveille::model::kCases, argc, argv); }
