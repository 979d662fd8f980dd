// The register of steps: what it refuses, and the order that it keeps.
#include "core/steps.hpp"

#include <gtest/gtest.h>

namespace {

using reveille::core::Registered;
using reveille::core::Section;
using reveille::core::StepTable;

using Table = StepTable<int, 4>;

constexpr Table filled() {
  Table table;
  table.add(Section::kStarting, {"timer", true, true}, 10);
  table.add(Section::kPrepare, {"area", false, true}, 11);
  table.add(Section::kStarting, {"lapic", true, false}, 12);
  return table;
}

void expect_filled(const Table &table) {
  EXPECT_EQ(table.size(), 3U);
  EXPECT_EQ(table.count(Section::kPrepare), 1U);
  EXPECT_EQ(table.count(Section::kStarting), 2U);
  EXPECT_EQ(table.count(Section::kOnline), 0U);
}

TEST(StepTable, KeepsTheOrderOfRegistrationInEachSection) {
  constexpr Table kTable = filled();
  expect_filled(kTable);
  EXPECT_EQ(kTable.at(Section::kStarting, 0).info.name, "timer");
  EXPECT_EQ(kTable.at(Section::kStarting, 1).info.name, "lapic");
  EXPECT_EQ(kTable.at(Section::kPrepare, 0).body, 11);
  EXPECT_FALSE(kTable.at(Section::kPrepare, 0).info.concurrent);
  EXPECT_FALSE(kTable.at(Section::kStarting, 1).info.remote_teardown);
  EXPECT_EQ(kTable.number(Section::kStarting, 0), 0U) << "numbers are of all sections";
  EXPECT_EQ(kTable.number(Section::kPrepare, 0), 1U);
  EXPECT_EQ(kTable.number(Section::kStarting, 1), 2U);
  EXPECT_EQ(kTable.at(2).section, Section::kStarting);
}

TEST(StepTable, RefusesAnotherWhenItIsFull) {
  Table table = filled();
  EXPECT_EQ(table.add(Section::kOnline, {"worker"}, 0), Registered::kYes);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(table.add(Section::kOnline, {"one-more"}, 0), Registered::kFull);
  EXPECT_EQ(table.size(), 4U);
  EXPECT_EQ(table.count(Section::kOnline), 1U);
}

TEST(StepTable, RefusesANameThatIsThereInWhicheverSection) {
  for (const Section section : {Section::kPrepare, Section::kStarting, Section::kOnline}) {
    Table table = filled();
    EXPECT_EQ(table.add(section, {"timer"}, 0), Registered::kDuplicate);
    expect_filled(table);
    EXPECT_EQ(table.add(section, {"time"}, 0), Registered::kYes) << "the whole name counts";
    EXPECT_EQ(table.add(section, {"time"}, 0), Registered::kDuplicate) << "even if it is full";
  }
}

TEST(StepTable, RefusesWhatIsNoStep) {
  Table table = filled();
  EXPECT_EQ(table.add(Section::kNone, {"nowhere"}, 0), Registered::kBadStep);
  EXPECT_EQ(table.add(static_cast<Section>(4), {"beyond"}, 0), Registered::kBadStep);
  EXPECT_EQ(table.add(Section::kOnline, {""}, 0), Registered::kBadStep);
  EXPECT_EQ(table.add(Section::kOnline, {}, 0), Registered::kBadStep);
  expect_filled(table);
}

TEST(StepTable, RefusesEverythingWhileItIsFrozen) {
  Table table = filled();
  table.freeze(true);
  EXPECT_TRUE(table.is_frozen());
  EXPECT_EQ(table.add(Section::kOnline, {"worker"}, 0), Registered::kFrozen);
  EXPECT_EQ(table.add(Section::kStarting, {"timer"}, 0), Registered::kFrozen);
  EXPECT_EQ(table.add(Section::kNone, {"nowhere"}, 0), Registered::kFrozen);
  expect_filled(table);
  table.freeze(false);
  EXPECT_FALSE(table.is_frozen());
  EXPECT_EQ(table.add(Section::kOnline, {"worker"}, 0), Registered::kYes);
}

} // namespace
