// Steps of different CPUs: those that may overlap are seen to, those that may not never do.
#include "threads.hpp"

#include <bit>

namespace reveille::model {
namespace {

using abi::State;
using abi::Strategy;

/// A step in which CPUs wait for each other: all that are to meet are in it at the same time.
class Meeting {
public:
  explicit Meeting(unsigned needed) : needed_(needed) {}
  /// False: the others have not come within a minute.
  [[nodiscard]] bool attend() {
    here_.fetch_add(1, std::memory_order_relaxed);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (here_.load(std::memory_order_relaxed) < needed_) {
      if (std::chrono::steady_clock::now() > limit)
        return false;
      std::this_thread::yield();
    }
    return true;
  }

private:
  unsigned needed_;
  std::atomic<unsigned> here_ = 0;
};

/// A section that is for one CPU at a time. Counts who breaks that.
class Alone {
public:
  void enter() {
    if (inside_.fetch_add(1, std::memory_order_relaxed) != 0)
      broken_.fetch_add(1, std::memory_order_relaxed);
    for (int i = 0; i < 100; ++i) // others would have time to come in
      std::this_thread::yield();
  }
  void leave() { inside_.fetch_sub(1, std::memory_order_relaxed); }
  [[nodiscard]] unsigned broken() const { return broken_.load(); }

private:
  std::atomic<unsigned> inside_ = 0;
  std::atomic<unsigned> broken_ = 0;
};

/// Which CPUs meet: in parallel all; in tree those of a level, 2 and 3, 4 to 7, 8 to 15.
class Overlap {
public:
  Overlap(Strategy strategy, unsigned cpus) : strategy_(strategy) {
    for (const Section section : {Section::kStarting, Section::kOnline})
      if (strategy == Strategy::kTree)
        for (unsigned level = 0; (1U << level) < cpus; ++level)
          meetings_[section].push_back(std::make_unique<Meeting>(1U << level));
      else
        meetings_[section].push_back(std::make_unique<Meeting>(cpus - 1));
  }
  void attend(Section section, unsigned cpu) {
    const auto level = static_cast<std::size_t>(std::bit_width(cpu) - 1);
    if (!meetings_.at(section)[strategy_ == Strategy::kTree ? level : 0]->attend())
      missed_.fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] unsigned missed() const { return missed_.load(); }

private:
  Strategy strategy_;
  std::map<Section, std::vector<std::unique_ptr<Meeting>>> meetings_;
  std::atomic<unsigned> missed_ = 0;
};

using Setup = std::tuple<Strategy, Section>; ///< which section is exclusive; kNone: none

class Sections : public testing::TestWithParam<Setup> {};

TEST_P(Sections, OverlapUnlessTheirStepsAreExclusive) {
  const auto [strategy, exclusive] = GetParam();
  const unsigned cpus = strategy == Strategy::kTree ? 16 : 9;
  Overlap overlap(strategy, cpus);
  Alone alone;
  Plan plan = plan_for(cpus, strategy);
  if (exclusive != Section::kNone)
    plan.exclusive = {exclusive};
  plan.start = [&, exclusive = exclusive](Section section, unsigned step, unsigned cpu, std::uint32_t) {
    if (step == 0 && section != exclusive && section != Section::kPrepare) // CPU 0's, one after the other
      overlap.attend(section, cpu);
    if (step == 0 && section == exclusive)
      alone.enter();
    if (step == kSteps - 1 && section == exclusive)
      alone.leave();
    return 0;
  };
  std::atomic<unsigned> going_down = 0;
  plan.undo = [&, exclusive = exclusive](unsigned self, Section section, unsigned step, std::uint32_t) {
    if (self != 0 && section == exclusive && step == kSteps - 1)
      alone.enter();
    if (self != 0 && section == exclusive && step == 0)
      alone.leave();
    // All at once on the way down, in both of these strategies.
    if (section == Section::kOnline && section != exclusive && step == 0) {
      going_down.fetch_add(1, std::memory_order_relaxed);
      wait_quietly([&] { return going_down.load(std::memory_order_relaxed) >= cpus - 1; });
    }
  };
  ThreadMachine machine(std::move(plan));
  machine.bring_up();
  EXPECT_TRUE(all_are(machine, cpus, {}, State::kActive));
  EXPECT_EQ(overlap.missed(), 0U) << "they did not run at the same time";
  machine.take_down();
  machine.shut_down();
  EXPECT_TRUE(all_are(machine, cpus, {}, State::kDead));
  EXPECT_EQ(alone.broken(), 0U) << "two were in it at the same time";
  std::set<unsigned> prepared_by;
  for (const Record &record : machine.records())
    if (record.kind == EventKind::kStepEnter && record.b == static_cast<std::uint64_t>(Section::kPrepare))
      prepared_by.insert(record.writer);
  EXPECT_EQ(prepared_by.size() == 1, strategy == Strategy::kParallel || exclusive == Section::kPrepare);
  expect_legal(machine, cpus);
}

std::string named(const testing::TestParamInfo<Setup> &setup) {
  constexpr const char *kNames[] = {"None", "Prepare", "Starting", "Online"};
  return said(std::get<0>(setup.param)) + kNames[static_cast<unsigned>(std::get<1>(setup.param))];
}

INSTANTIATE_TEST_SUITE_P(All, Sections,
                         testing::Combine(testing::Values(Strategy::kParallel, Strategy::kTree),
                                          testing::Values(Section::kNone, Section::kPrepare,
                                                          Section::kStarting, Section::kOnline)),
                         named);

TEST(Sections, AreOneAtATimeInSerialAndSplitAnyway) {
  for (const Strategy strategy : {Strategy::kSerial, Strategy::kSplit}) {
    Alone alone;
    Plan plan = plan_for(8, strategy);
    plan.start = [&](Section section, unsigned step, unsigned, std::uint32_t) {
      if (section == Section::kStarting && step == 0)
        alone.enter();
      if (section == Section::kOnline && step == kSteps - 1)
        alone.leave();
      return 0;
    };
    ThreadMachine machine(std::move(plan));
    machine.bring_up();
    EXPECT_TRUE(all_are(machine, 8, {}, State::kActive));
    EXPECT_EQ(alone.broken(), 0U);
  }
}

} // namespace
} // namespace reveille::model
