// What the guest keeps for late APs: looked at at time zero and at the end, and never on trust.
#include "tests/kvm/bare_guest.hpp"
#include "vmm/judge/verdict.hpp"
#include "vmm/lab/kept.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/scenario/load.hpp"

#include <algorithm>

namespace reveille::vmm::test {
namespace {

class Kept : public ::testing::Test {
protected:
  void SetUp() override {
    REVEILLE_NEEDS_KVM();
    machine_.emplace(must(Machine::build(scenario_, std::string(REVEILLE_GUEST))));
  }

  abi::KeptRange &range(abi::Keep what) {
    auto *page = machine_->memory().at<abi::ControlPage>(machine_->control().layout().page);
    return page->kept[static_cast<std::size_t>(what)];
  }
  void say_all() {
    range(abi::Keep::kTrampolines) = {0x10000, 0x10000};
    range(abi::Keep::kIdMap) = {0x200000, 0x4000};
    range(abi::Keep::kCode) = {0x100000, 0x8000};
    range(abi::Keep::kParkStacks) = {0x300000, 0x3000};
  }

  Scenario scenario_ = must(parse_scenario("[machine]\nvcpus = 4\n", "made"));
  std::optional<Machine> machine_;
};

TEST_F(Kept, OurGuestSaysWhereAllOfItIsAndChangesNothing) {
  Lab lab(scenario_, *machine_);
  const Observation seen = must(lab.run({}));
  EXPECT_EQ(seen.kept_gap, "");
  ASSERT_EQ(seen.kept.size(), 4u);
  for (const KeptMemory &each : seen.kept) {
    EXPECT_GT(each.size, 0u) << each.name;
    EXPECT_EQ(each.before, each.after) << each.name;
    EXPECT_FALSE(each.changed_at) << each.name;
  }
  EXPECT_EQ(seen.kept[0].size, abi::kPages * 4096u);
  EXPECT_FALSE(seen.kept[3].is_constant);
}

TEST_F(Kept, NamesTheFirstByteThatWasChanged) {
  say_all();
  KeptWatch watch(*machine_);
  watch.begin();
  Observation same;
  watch.observe(same);
  ASSERT_EQ(same.kept.size(), 4u);
  EXPECT_FALSE(std::ranges::any_of(same.kept, [](const KeptMemory &k) { return k.changed_at.has_value(); }));
  ASSERT_TRUE(machine_->memory().write(0x200123, std::uint8_t{1}));
  ASSERT_TRUE(machine_->memory().write(0x300123, std::uint8_t{1})); // a stack: it may
  range(abi::Keep::kIdMap) = {};                                    // what was said at time zero counts
  watch.begin();
  Observation seen;
  watch.observe(seen);
  EXPECT_EQ(seen.kept_gap, "");
  EXPECT_EQ(seen.kept[1].changed_at, 0x200123u);
  EXPECT_NE(seen.kept[1].before, seen.kept[1].after);
  EXPECT_FALSE(seen.kept[0].changed_at || seen.kept[2].changed_at || seen.kept[3].changed_at);
}

TEST_F(Kept, WhatIsNotSaidOrCannotBeIsAGap) {
  const auto gap = [&](abi::KeptRange id_map) {
    say_all();
    range(abi::Keep::kIdMap) = id_map;
    KeptWatch watch(*machine_);
    watch.begin();
    Observation seen;
    watch.observe(seen);
    EXPECT_EQ(seen.kept.size(), seen.kept_gap.empty() ? 4u : 3u);
    return seen.kept_gap;
  };
  const std::string unsaid = "the guest does not say where the entries of the ID map are";
  EXPECT_EQ(gap({0x200000, 0}), unsaid);
  EXPECT_EQ(gap({UINT64_MAX - 4, 64}), unsaid);
  EXPECT_EQ(gap({1ULL << 40, 64}), unsaid);       // no RAM
  EXPECT_EQ(gap({0x200000, 1ULL << 40}), unsaid); // runs out of it
  EXPECT_EQ(gap({0x200000, 9ULL << 20}), unsaid); // more than there can be
  EXPECT_EQ(gap({0x200000, 64}), "");
}

TEST_F(Kept, AGuestThatHasNotCalledAtTimeZeroIsAGap) {
  const KeptWatch watch(*machine_);
  Observation seen;
  watch.observe(seen);
  EXPECT_EQ(seen.kept_gap, ""); // nothing was kicked either
  seen.zero_tsc = 1;
  watch.observe(seen);
  EXPECT_EQ(seen.kept_gap, "the guest has not called at time zero");
}

} // namespace
} // namespace reveille::vmm::test
