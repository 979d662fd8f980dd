// What an attempt has left behind in each state, and undoing it.
#include "scripted_machine.hpp"

namespace {

using namespace reveille::unit;
using reveille::core::Remains;
using reveille::core::remains_of;

constexpr unsigned kPrepared = 2, kStarting = 3, kOnline = 4;

Remains left_in(State state, std::uint16_t step, reveille::core::Rollback rollback = {}) {
  return remains_of({7, state, step}, {5, 7, 42}, {kPrepared, kStarting, kOnline}, rollback);
}

void expect_left(const Remains &left, unsigned starting, unsigned online) {
  EXPECT_EQ(left.prepare, kPrepared);
  EXPECT_EQ(left.starting, starting);
  EXPECT_EQ(left.online, online);
  EXPECT_FALSE(left.proven);
  EXPECT_EQ(left.target.cpu, 5U);
  EXPECT_EQ(left.target.attempt, 7U);
  EXPECT_EQ(left.target.token, 42U);
}

TEST(Remains, BeforeStartingArePrepareAlone) {
  expect_left(left_in(State::kKicked, 0), 0, 0);
  expect_left(left_in(State::kClaimed, 0), 0, 0);
}

TEST(Remains, InStartingCountTheStepInFlight) {
  expect_left(left_in(State::kStarting, 0), 1, 0);
  expect_left(left_in(State::kStarting, 1), 2, 0);
  expect_left(left_in(State::kStarting, 2), 3, 0);
  expect_left(left_in(State::kStarting, 3), 3, 0); // all done, on its way to started
}

TEST(Remains, BetweenTheSectionsAreAllOfStarting) {
  for (const State state : {State::kSyncing, State::kOnlining, State::kIdling})
    expect_left(left_in(state, 0), kStarting, 0);
}

TEST(Remains, InActivatingCountTheStepInFlight) {
  expect_left(left_in(State::kActivating, 0), kStarting, 1);
  expect_left(left_in(State::kActivating, 3), kStarting, 4);
  expect_left(left_in(State::kActivating, 4), kStarting, 4);
}

TEST(Remains, OfARollbackAreWhatItHasNotUndone) {
  // The ONLINE step 2 had failed: three to undo, and as many have been as the word says.
  expect_left(left_in(State::kUndoOnline, 0, {0, 3}), kStarting, 3);
  expect_left(left_in(State::kUndoOnline, 2, {0, 3}), kStarting, 1);
  expect_left(left_in(State::kUndoOnline, 3, {0, 3}), kStarting, 0);
  expect_left(left_in(State::kUndoOnline, 9, {0, 3}), kStarting, 0); // nonsense does not wrap
  expect_left(left_in(State::kUndoStarting, 0, {2, 0}), 2, 0);
  expect_left(left_in(State::kUndoStarting, 1, {2, 0}), 1, 0);
  expect_left(left_in(State::kUndoStarting, 9, {2, 0}), 0, 0);
}

TEST(Remains, OfASectionWithoutStepsAreNone) {
  const Remains left = remains_of({7, State::kStarting, 0}, {}, {}, {});
  EXPECT_EQ(left.prepare + left.starting + left.online, 0U);
}

TEST(Undo, GoesBackwardsThroughTheSections) {
  ScriptedMachine machine(2);
  Remains left{{1, 7, 0}, 2, 3, 2, true};
  EXPECT_TRUE(reveille::core::undo(machine, left, true));
  const std::vector<Undone> expected = {
      {1, 7, Section::kOnline, 1},   {1, 7, Section::kOnline, 0},   {1, 7, Section::kStarting, 2},
      {1, 7, Section::kStarting, 1}, {1, 7, Section::kStarting, 0}, {1, 7, Section::kPrepare, 1},
      {1, 7, Section::kPrepare, 0},
  };
  EXPECT_EQ(machine.undone, expected);
  EXPECT_EQ(left.prepare + left.starting + left.online, 0U);
  EXPECT_EQ(machine.logged(EventKind::kUndoEnter).size(), 7U);
  EXPECT_EQ(machine.logged(EventKind::kUndoDone).size(), 7U);
}

TEST(Undo, StopsAtTheFirstStepThatTheCpMayNotUndo) {
  ScriptedMachine machine(2);
  machine.local[{Section::kStarting, 1}] = true;
  Remains left{{1, 7, 0}, 2, 3, 1, true};
  EXPECT_FALSE(reveille::core::undo(machine, left, true));
  const std::vector<Undone> expected = {{1, 7, Section::kOnline, 0}, {1, 7, Section::kStarting, 2}};
  EXPECT_EQ(machine.undone, expected);
  EXPECT_EQ(left.starting, 2U);
  EXPECT_EQ(left.prepare, 2U);
  EXPECT_FALSE(reveille::core::undo(machine, left, true)) << "and asked again, it has not become allowed";
  EXPECT_EQ(machine.undone, expected);
}

TEST(Undo, OfPrepareIsTheCpsOwn) {
  ScriptedMachine machine(2);
  machine.local[{Section::kPrepare, 0}] = machine.local[{Section::kPrepare, 1}] = true;
  Remains left{{1, 7, 0}, 2, 0, 0, true};
  EXPECT_TRUE(reveille::core::undo(machine, left, true));
  EXPECT_EQ(machine.undone.size(), 2U);
}

} // namespace
