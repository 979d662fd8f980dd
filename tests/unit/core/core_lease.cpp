// The lease of a control CPU, one step after the other: whose the AP is after each.
#include "core/lease.hpp"

#include <gtest/gtest.h>

namespace {

using reveille::core::fence;
using reveille::core::grant;
using reveille::core::HeldLease;
using reveille::core::Lease;
using Cell = std::atomic<std::uint64_t>;
using Phase = Lease::Phase;

Lease seen(const Cell &cell) { return Lease::from(cell.load()); }

TEST(Lease, SurvivesItsBits) {
  for (const Phase phase : {Phase::kNone, Phase::kHeld, Phase::kReturned, Phase::kFenced, Phase::kLetGo})
    for (const std::uint32_t child : {0U, 1U, 1023U, 0xffffffffU})
      for (const std::uint32_t renewals : {0U, 1U, 0xffffffU}) {
        const Lease lease{child, phase, renewals};
        EXPECT_EQ(Lease::from(lease.bits()), lease);
        EXPECT_EQ(lease.with(Phase::kFenced), (Lease{child, Phase::kFenced, renewals}));
      }
  EXPECT_EQ(Lease{}.bits(), 0U) << "of a CPU that has none";
}

TEST(Lease, ThatIsRenewedManyTimesKeepsItsPhaseAndItsChild) {
  Cell cell = Lease{7, Phase::kHeld, 0xffffff}.bits();
  HeldLease lease(cell);
  EXPECT_TRUE(lease.renew());
  EXPECT_EQ(seen(cell), (Lease{7, Phase::kHeld, 0}));
}

TEST(Lease, IsTakenUpRenewedAndGivenBack) {
  Cell cell = 0;
  EXPECT_FALSE(HeldLease(cell).is_held());
  grant(cell, 5);
  HeldLease lease(cell);
  EXPECT_TRUE(lease.is_held());
  EXPECT_EQ(lease.child(), 5U);
  EXPECT_TRUE(lease.renew());
  EXPECT_TRUE(lease.renew());
  EXPECT_EQ(seen(cell), (Lease{5, Phase::kHeld, 2}));
  EXPECT_TRUE(lease.give_back());
  EXPECT_EQ(seen(cell), (Lease{5, Phase::kReturned, 2}));
}

TEST(Lease, IsFencedOnlyIfItHasNotBeenRenewedSince) {
  Cell cell = 0;
  grant(cell, 5);
  HeldLease lease(cell);
  const std::uint64_t before = cell.load();
  EXPECT_TRUE(lease.renew());
  const Lease renewed = seen(cell);
  EXPECT_FALSE(fence(cell, before));
  EXPECT_EQ(seen(cell), renewed);
  EXPECT_TRUE(fence(cell, cell.load()));
  EXPECT_EQ(seen(cell), renewed.with(Phase::kFenced));
}

TEST(Lease, ThatIsGivenBackIsNotFenced) {
  Cell cell = 0;
  grant(cell, 5);
  HeldLease lease(cell);
  const std::uint64_t before = cell.load();
  EXPECT_TRUE(lease.give_back());
  EXPECT_FALSE(fence(cell, before));
  EXPECT_EQ(seen(cell).phase, Phase::kReturned);
}

TEST(Lease, ThatIsFencedIsNeitherRenewedNorGivenBackButLetGo) {
  Cell cell = 0;
  grant(cell, 5);
  HeldLease lease(cell);
  EXPECT_TRUE(fence(cell, cell.load()));
  EXPECT_FALSE(lease.renew());
  EXPECT_FALSE(lease.give_back());
  EXPECT_EQ(seen(cell), (Lease{5, Phase::kFenced, 0})) << "it stays shut out";
  lease.let_go();
  EXPECT_EQ(seen(cell), (Lease{5, Phase::kLetGo, 0}));
}

TEST(Lease, ThatIsFencedBeforeItIsTakenUpIsNotHeld) {
  Cell cell = 0;
  grant(cell, 5);
  EXPECT_TRUE(fence(cell, cell.load()));
  HeldLease lease(cell);
  EXPECT_FALSE(lease.is_held());
  lease.let_go();
  EXPECT_EQ(seen(cell), (Lease{5, Phase::kLetGo, 0}));
}

} // namespace
