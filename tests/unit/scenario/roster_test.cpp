// What the firmware tells the guest, and the numbers that the guest makes of it.
#include "vmm/scenario/roster.hpp"

#include <gtest/gtest.h>

namespace reveille::vmm {
namespace {

FaultSpec firmware(Action action, std::vector<CpuIndex> cpus, CpuIndex to = 0) {
  FaultSpec fault;
  fault.cpus = std::move(cpus);
  fault.at = {"firmware", FirmwarePlace{}};
  fault.action = action;
  fault.to = to;
  return fault;
}

Scenario six(std::vector<FaultSpec> faults) {
  Scenario scenario;
  scenario.machine.vcpus = scenario.bringup.max_cpus = 6;
  scenario.faults = std::move(faults);
  return scenario;
}

/// The CPUs by the guest's numbers, those that it does not find included.
std::vector<CpuIndex> order(const Roster &roster) {
  std::vector<CpuIndex> cpus;
  for (CpuIndex number = 0; number < 6; ++number) {
    cpus.push_back(roster.cpu_of(number));
    EXPECT_EQ(roster.number_of(cpus.back()), number);
  }
  return cpus;
}

using List = std::vector<CpuIndex>;

TEST(Roster, SoundFirmwareListsEachCpuByItsOwnNumber) {
  const Roster roster(six({}));
  EXPECT_EQ(order(roster), (List{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(roster.found(), 6u);
  EXPECT_EQ(roster.requested(), 6u);
  for (const ListedCpu &entry : roster.listed())
    EXPECT_TRUE(entry.enabled && entry.id_of == entry.cpu);
  EXPECT_EQ(roster.cpu_of(77), 77u);
}

TEST(Roster, AGhostIsListedAndNotThere) {
  const Roster roster(six({firmware(Action::kGhost, {3})}));
  EXPECT_EQ(order(roster), (List{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(roster.listed().size(), 6u);
  EXPECT_FALSE(roster.exists(3));
  EXPECT_TRUE(roster.exists(2));
  EXPECT_EQ(roster.requested(), 6u);
}

TEST(Roster, CpusThatAreNotOfferedLeaveNoGapInTheNumbers) {
  Scenario scenario = six({firmware(Action::kUnlisted, {1}), firmware(Action::kDisabled, {3})});
  scenario.bringup.max_cpus = 5;
  const Roster roster(scenario);
  EXPECT_EQ(order(roster), (List{0, 2, 4, 5, 1, 3}));
  EXPECT_EQ(roster.found(), 4u);
  EXPECT_EQ(roster.requested(), 3u);
  ASSERT_EQ(roster.listed().size(), 5u);
  EXPECT_EQ(roster.listed()[1].cpu, 2u);
  EXPECT_FALSE(roster.listed()[2].enabled);
  EXPECT_EQ(roster.presence(1), Presence::kUnlisted);
  EXPECT_EQ(roster.presence(3), Presence::kDisabled);
  EXPECT_TRUE(roster.exists(1) && roster.exists(3));
}

TEST(Roster, OfTwoWithOneIdItIsNotTheOneWhoseIdItIsThatFails) {
  for (const auto &[cpu, to] : {std::pair{CpuIndex{4}, CpuIndex{2}}, {CpuIndex{2}, CpuIndex{4}}}) {
    const Roster roster(six({firmware(Action::kSameId, {cpu}, to)}));
    EXPECT_EQ(roster.presence(cpu), Presence::kTwin);
    EXPECT_EQ(roster.presence(to), Presence::kPresent);
    EXPECT_EQ(roster.listed()[cpu].id_of, to);
    EXPECT_EQ(roster.number_of(to), 2u); // whose entry comes first
    EXPECT_EQ(roster.number_of(cpu), 4u);
    EXPECT_EQ(roster.listed_as(cpu), to);
    EXPECT_EQ(roster.found(), 6u);
  }
}

TEST(Roster, ATwinOfTheControlCpuIsNotTakenForIt) {
  const Roster roster(six({firmware(Action::kSameId, {2, 5}, 0)}));
  EXPECT_EQ(order(roster), (List{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(roster.presence(0), Presence::kPresent);
  EXPECT_EQ(roster.presence(2), Presence::kTwin);
  EXPECT_EQ(roster.presence(5), Presence::kTwin);
}

TEST(Roster, CpusWithEachOthersIdsChangeNumbers) {
  EXPECT_EQ(order(Roster(six({firmware(Action::kSwapId, {1}, 4)}))), (List{0, 4, 2, 3, 1, 5}));
  // The control CPU is number 0 wherever it is listed: the others move up.
  EXPECT_EQ(order(Roster(six({firmware(Action::kSwapId, {3}, 0)}))), (List{0, 3, 1, 2, 4, 5}));
}

TEST(Roster, ADisabledEntryMayHoldAnIdThatIsTaken) {
  const Roster roster(six({firmware(Action::kDisabled, {1}), firmware(Action::kSameId, {1}, 2)}));
  EXPECT_EQ(order(roster), (List{0, 2, 3, 4, 5, 1}));
  EXPECT_EQ(roster.listed()[1].id_of, 2u);
  EXPECT_EQ(roster.presence(1), Presence::kDisabled);
  EXPECT_EQ(roster.presence(2), Presence::kPresent);
}

TEST(Roster, EventsAreRenamed) {
  const Roster roster(six({firmware(Action::kUnlisted, {1})}));
  abi::Event event{};
  event.cpu = 2;
  event.kind = abi::EventKind::kDelegated;
  event.a = 1;
  roster.rename(event);
  EXPECT_EQ(event.cpu, 3u);
  EXPECT_EQ(event.a, 2u);
  event = {};
  event.cpu = 4'000'000; // untrusted
  event.kind = abi::EventKind::kMoved;
  event.a = 1;
  roster.rename(event);
  EXPECT_EQ(event.cpu, 4'000'000u);
  EXPECT_EQ(event.a, 1u);
}

TEST(Roster, AScenarioIsRenumbered) {
  FaultSpec redirect = firmware(Action::kRedirect, {3, 5}, 4);
  redirect.at = {"sipi", DeliveryPlace{Delivery::kSipi}};
  const Scenario scenario =
      six({firmware(Action::kSwapId, {1}, 5), firmware(Action::kUnlisted, {2}), redirect});
  const Scenario numbered = Roster(scenario).renumbered(scenario);
  EXPECT_EQ(numbered.bringup.max_cpus, 5u);
  EXPECT_EQ(numbered.faults[2].cpus, (List{1, 2}));
  EXPECT_EQ(numbered.faults[2].to, 3u);
}

TEST(Roster, AChanceThatIsNotTakenChangesNothing) {
  FaultSpec fault = firmware(Action::kUnlisted, {1, 2, 3, 4, 5});
  fault.probability = 0.5;
  Scenario scenario = six({fault});
  scenario.seed = 7;
  const Roster roster(scenario);
  EXPECT_GT(roster.found(), 1u);
  EXPECT_LT(roster.found(), 6u);
  EXPECT_EQ(Roster(scenario).found(), roster.found());
}

} // namespace
} // namespace reveille::vmm
