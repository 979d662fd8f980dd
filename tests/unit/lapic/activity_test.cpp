// INIT, SIPI and who waits for which: SDM 3, 9.4.3 and 11.6.1.
#include "vmm/lapic/activity.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm::lapic::test {
namespace {

using State = Activity::State;

Mail mail(bool init, std::optional<std::uint8_t> startup = {}) {
  Mail made;
  made.init = init;
  made.startup = startup;
  return made;
}

TEST(LapicActivity, TheBspStartsAndTheOthersWait) {
  EXPECT_EQ(Activity(true).state(), State::kActive);
  EXPECT_EQ(Activity(false).state(), State::kWaitsForInit);
}

TEST(LapicActivity, ASipiIsIgnoredBeforeTheInit) {
  Activity ap(false);
  EXPECT_FALSE(ap.take(mail(false, 0x10)).start);
  EXPECT_EQ(ap.state(), State::kWaitsForInit);
}

TEST(LapicActivity, AnInitThenASipiStart) {
  Activity ap(false);
  const auto first = ap.take(mail(true));
  EXPECT_TRUE(first.reset);
  EXPECT_FALSE(first.start);
  EXPECT_EQ(ap.state(), State::kWaitsForSipi);
  const auto second = ap.take(mail(false, 0x10));
  EXPECT_FALSE(second.reset);
  EXPECT_EQ(second.start, 0x10);
  EXPECT_EQ(ap.state(), State::kActive);
}

TEST(LapicActivity, BothAtOnceAreTakenInOrder) {
  Activity ap(false);
  const auto change = ap.take(mail(true, 0x10));
  EXPECT_TRUE(change.reset);
  EXPECT_EQ(change.start, 0x10);
  EXPECT_EQ(ap.state(), State::kActive);
}

TEST(LapicActivity, ASipiIsIgnoredByWhoeverRunsOrHalts) {
  Activity ap(false);
  for (const State state : {State::kActive, State::kHalted}) {
    ap.set(state);
    EXPECT_FALSE(ap.take(mail(false, 0x10)).start);
    EXPECT_EQ(ap.state(), state);
  }
}

TEST(LapicActivity, AnInitStopsWhoeverRunsOrHalts) {
  Activity ap(false);
  for (const State state : {State::kActive, State::kHalted}) {
    ap.set(state);
    EXPECT_TRUE(ap.take(mail(true)).reset);
    EXPECT_EQ(ap.state(), State::kWaitsForSipi);
  }
}

TEST(LapicActivity, TheBspGoesOnFromItsResetVector) {
  Activity bsp(true);
  bsp.set(State::kHalted);
  const auto change = bsp.take(mail(true, 0x10));
  EXPECT_TRUE(change.reset);
  EXPECT_FALSE(change.start);
  EXPECT_EQ(bsp.state(), State::kActive);
}

} // namespace
} // namespace reveille::vmm::lapic::test
