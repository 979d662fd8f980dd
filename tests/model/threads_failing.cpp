// Steps that fail, on threads: the rollback, and a rollback that is given up.
#include "threads.hpp"

namespace reveille::model {
namespace {

using abi::State;

struct Fault {
  Section section;
  unsigned step;
};

using Failed = std::tuple<abi::Strategy, Fault>;

class Failing : public testing::TestWithParam<Failed> {
protected:
  static constexpr unsigned kBad = 2; // in tree, CPU 1 brings it up
  static Fault fault() { return std::get<1>(GetParam()); }
  /// Fails kBad's step in its first attempt.
  static Plan plan(unsigned cpus) {
    Plan p = plan_for(cpus, std::get<0>(GetParam()));
    p.starts = 2;
    p.start = [](Section section, unsigned step, unsigned cpu, std::uint32_t attempt) {
      return cpu == kBad && attempt == 1 && section == fault().section && step == fault().step ? -7 : 0;
    };
    return p;
  }
};

TEST_P(Failing, IsUndoneExactlyAndTheCpuIsDead) {
  ThreadMachine machine(plan(5));
  machine.bring_up();
  EXPECT_TRUE(all_are(machine, 5, {kBad}, State::kActive));
  EXPECT_EQ(machine.word(kBad).state, fault().section == Section::kPrepare ? State::kDown : State::kDead);
  EXPECT_EQ(machine.areas_held(), 3);
  EXPECT_EQ(machine.quarantined(kBad), 0U);
  machine.take_down();
  machine.bring_up(); // without it
  machine.shut_down();
  EXPECT_TRUE(all_are(machine, 5, {kBad}, State::kActive));
  EXPECT_LE(machine.word(kBad).attempt, 1U);
  // Undone: what was done, backwards, the failed step first.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> done, undone;
  for (const Record &record : machine.records()) {
    if (record.cpu != kBad)
      continue;
    if (record.kind == EventKind::kStepEnter)
      done.emplace(done.begin(), record.b, record.a);
    if (record.kind == EventKind::kUndoEnter) {
      undone.emplace_back(record.b, record.a);
      EXPECT_EQ(record.writer == kBad, record.b != static_cast<std::uint64_t>(Section::kPrepare));
    }
    if (record.kind == EventKind::kFailed) {
      EXPECT_EQ(record.b, abi::failed(abi::FailReason::kError, static_cast<unsigned>(fault().section),
                                      fault().step, -7));
    }
  }
  EXPECT_EQ(undone, done);
  EXPECT_EQ(count(machine, EventKind::kFailed), 1U);
  expect_legal(machine, 5);
}

TEST_P(Failing, SucceedsWhenTriedAgain) {
  Plan p = plan(4);
  p.settings.attempts = 2;
  ThreadMachine machine(std::move(p));
  machine.bring_up();
  machine.shut_down();
  EXPECT_EQ(machine.word(kBad), (Word{2, State::kActive, 0}));
  for (const unsigned cpu : {1U, 3U})
    EXPECT_EQ(machine.word(cpu), (Word{1, State::kActive, 0}));
  EXPECT_EQ(machine.areas_held(), 3);
  expect_legal(machine, 4);
}

std::string named(const testing::TestParamInfo<Failed> &failed) {
  constexpr const char *kNames[] = {"None", "Prepare", "Starting", "Online"};
  const auto &[strategy, fault] = failed.param;
  return said(strategy) + kNames[static_cast<unsigned>(fault.section)] + std::to_string(fault.step);
}

INSTANTIATE_TEST_SUITE_P(
    EachStep, Failing,
    testing::Combine(testing::ValuesIn(kStrategies),
                     testing::Values(Fault{Section::kPrepare, 0}, Fault{Section::kPrepare, 1},
                                     Fault{Section::kStarting, 0}, Fault{Section::kStarting, 1},
                                     Fault{Section::kOnline, 0}, Fault{Section::kOnline, 1})),
    named);

/// The AP hangs in a teardown of the rollback, is given up, and goes on late.
class LateRollback : public testing::TestWithParam<Fault> {};

TEST_P(LateRollback, LeavesTheRestToTheCp) {
  Stall stall;
  std::atomic<ThreadMachine *> running = nullptr;
  Plan plan = plan_for(2);
  plan.start = [](Section section, unsigned step, unsigned, std::uint32_t) {
    return section == Section::kOnline && step == 1 ? -7 : 0;
  };
  plan.undo = [&](unsigned self, Section section, unsigned step, std::uint32_t) {
    if (self != 0 && section == GetParam().section && step == GetParam().step)
      stall.here(*running);
  };
  ThreadMachine machine(std::move(plan));
  running = &machine;
  machine.bring_up();
  EXPECT_EQ(machine.word(1).state, State::kAbandoned);
  EXPECT_EQ(machine.areas_held(), 1);
  stall.let_go();
  EXPECT_TRUE(machine.serve_until([&] { return machine.quarantined(1) == 0; }));
  machine.shut_down();
  EXPECT_EQ(machine.areas_held(), 0);
  unsigned by_ap = 0, by_cp = 0;
  for (const Record &record : machine.records())
    if (record.kind == EventKind::kUndoEnter)
      ++(record.writer == 0 ? by_cp : by_ap);
  // Six in all, and the one in which it hung is done again: it was half done.
  const unsigned before = (GetParam().section == Section::kOnline ? 0 : 2) + (1 - GetParam().step);
  EXPECT_EQ(by_ap, before + 1);
  EXPECT_EQ(by_cp, 6 - before);
  expect_legal(machine, 2);
}

INSTANTIATE_TEST_SUITE_P(AtEachTeardown, LateRollback,
                         testing::Values(Fault{Section::kOnline, 1}, Fault{Section::kOnline, 0},
                                         Fault{Section::kStarting, 1}, Fault{Section::kStarting, 0}));

TEST(LocalTeardown, KeepsTheQuarantineForGood) {
  Stall stall;
  std::atomic<ThreadMachine *> running = nullptr;
  Plan plan = plan_for(2);
  plan.remote_teardown = false;
  plan.at = [&](unsigned, std::uint32_t, Place place) {
    if (place == Place::kSynced)
      stall.here(*running);
  };
  ThreadMachine machine(std::move(plan));
  running = &machine;
  machine.bring_up();
  stall.let_go();
  EXPECT_TRUE(machine.serve_until([&] { return count(machine, EventKind::kProven) == 1; }));
  EXPECT_EQ(machine.quarantined(1), 1U);
  EXPECT_EQ(machine.areas_held(), 1);
  machine.shut_down();
  EXPECT_EQ(count(machine, EventKind::kUndoEnter), 0U);
}

} // namespace
} // namespace reveille::model
