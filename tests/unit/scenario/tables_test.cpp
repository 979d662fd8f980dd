// The tables agree with each other and with the protocol.
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/keys.hpp"
#include "vmm/scenario/places.hpp"

#include <gtest/gtest.h>

#include <set>

namespace reveille::vmm {
namespace {

TEST(scenario, names_in_tables_are_unique) {
  std::set<std::pair<KeySection, std::string_view>> keys;
  for (const KeyRow &row : all_keys())
    EXPECT_TRUE(keys.emplace(row.section, row.name).second) << row.name;
  std::set<std::string_view> actions;
  for (const ActionRow &row : all_actions())
    EXPECT_TRUE(actions.insert(row.name).second) << row.name;
  std::set<std::pair<std::string_view, std::string_view>> places;
  for (const PlaceRow &row : all_places())
    EXPECT_TRUE(places.emplace(row.form, row.of).second) << row.form;
}

TEST(scenario, keys_of_actions_are_keys_of_faults) {
  for (const ActionRow &row : all_actions()) {
    std::string_view rest = row.keys;
    while (!rest.empty()) {
      const std::string_view key = rest.substr(0, rest.find(", "));
      EXPECT_NE(find_key(KeySection::kFault, key), nullptr) << row.name << ": " << key;
      rest.remove_prefix(std::min(key.size() + 2, rest.size()));
    }
  }
}

TEST(scenario, choices_are_numbered_as_the_enumerations) {
  const auto choice = [](KeySection section, std::string_view key, auto value) {
    return find_key(section, key)->choices[static_cast<std::size_t>(value)];
  };
  EXPECT_EQ(choice(KeySection::kMachine, "apic", ApicMode::kKernel), "kernel");
  EXPECT_EQ(choice(KeySection::kMachine, "x2apic", X2apic::kOn), "on");
  EXPECT_EQ(choice(KeySection::kMachine, "x2apic", X2apic::kOff), "off");
  EXPECT_EQ(choice(KeySection::kBringup, "strategy", abi::Strategy::kSplit), "split");
  EXPECT_EQ(choice(KeySection::kBringup, "strategy", abi::Strategy::kParallel), "parallel");
  EXPECT_EQ(choice(KeySection::kBringup, "strategy", abi::Strategy::kTree), "tree");
  EXPECT_EQ(choice(KeySection::kBringup, "wait", abi::Wait::kSpin), "spin");
  EXPECT_EQ(choice(KeySection::kBringup, "stop", abi::Stop::kNone), "none");
  EXPECT_EQ(name(Action::kFreeze), "freeze");
  EXPECT_EQ(name(Action::kFail), "fail");
}

} // namespace
} // namespace reveille::vmm
