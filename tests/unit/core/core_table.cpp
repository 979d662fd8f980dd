// The table of transitions, whole, against a list that was written without looking at it.
#include "core/protocol/points.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

namespace {

using namespace reveille::protocol;
using reveille::abi::kStateCount;
using S = State;
using M = Mover;

using Move = std::tuple<S, S, M>;

/// Within one attempt, from one state to another.
const std::set<Move> kMoves = {
    // Up.
    {S::kKicked, S::kClaimed, M::kAp},
    {S::kClaimed, S::kAlive, M::kAp},
    {S::kAlive, S::kStarting, M::kCp},
    {S::kStarting, S::kStarted, M::kAp},
    {S::kStarted, S::kSyncing, M::kCp},
    {S::kSyncing, S::kSynced, M::kAp},
    {S::kSynced, S::kOnlining, M::kCp},
    {S::kOnlining, S::kOnline, M::kAp},
    {S::kOnline, S::kIdling, M::kCp},
    {S::kIdling, S::kIdle, M::kAp},
    {S::kIdle, S::kActivating, M::kCp},
    {S::kActivating, S::kActive, M::kAp},
    // A step has failed: rolled back, and dead.
    {S::kStarting, S::kStartFailed, M::kAp},
    {S::kStartFailed, S::kUndoStarting, M::kCp},
    {S::kUndoStarting, S::kDead, M::kAp},
    {S::kActivating, S::kActivateFailed, M::kAp},
    {S::kActivateFailed, S::kUndoOnline, M::kCp},
    {S::kUndoOnline, S::kDying, M::kAp},
    {S::kDying, S::kUndoStarting, M::kCp},
    // Taken down.
    {S::kActive, S::kUndoOnline, M::kCp},
    // Given up, in every state in which it is the AP's turn.
    {S::kKicked, S::kAbandoned, M::kCp},
    {S::kClaimed, S::kAbandoned, M::kCp},
    {S::kStarting, S::kAbandoned, M::kCp},
    {S::kSyncing, S::kAbandoned, M::kCp},
    {S::kOnlining, S::kAbandoned, M::kCp},
    {S::kIdling, S::kAbandoned, M::kCp},
    {S::kActivating, S::kAbandoned, M::kCp},
    {S::kUndoOnline, S::kAbandoned, M::kCp},
    {S::kUndoStarting, S::kAbandoned, M::kCp},
    {S::kAbandoned, S::kParked, M::kAp},
};

const std::set<S> kCountSteps = {S::kStarting, S::kActivating, S::kUndoOnline, S::kUndoStarting};
const std::set<S> kKickedAgain = {S::kDown, S::kDead, S::kAbandoned, S::kParked};

/// Whose turn it is, and whom the CP may give up.
const std::set<S> kApsTurn = {S::kKicked, S::kClaimed,    S::kStarting,   S::kSyncing,     S::kOnlining,
                              S::kIdling, S::kActivating, S::kUndoOnline, S::kUndoStarting};

template <class Visit> void for_each_pair(Visit &&visit) {
  for (unsigned from = 0; from < kStateCount; ++from)
    for (unsigned to = 0; to < kStateCount; ++to)
      for (const M mover : {M::kCp, M::kAp})
        visit(static_cast<S>(from), static_cast<S>(to), mover);
}

std::string said(S from, S to, M mover) {
  return std::string(name(from)) + " to " + std::string(name(to)) +
         (mover == M::kCp ? " by the CP" : " by the AP");
}

TEST(Table, AllowsTheMovesOfTheProtocolAndNoOthers) {
  for_each_pair([](S from, S to, M mover) {
    if (from != to) {
      EXPECT_EQ(is_legal({5, from, 0}, {5, to, 0}, mover), kMoves.count({from, to, mover}) == 1)
          << said(from, to, mover);
    }
  });
}

TEST(Table, CountsStepsOneByOneWhereThereIsASection) {
  for (unsigned i = 0; i < kStateCount; ++i) {
    const S state = static_cast<S>(i);
    const bool counts = kCountSteps.count(state) == 1;
    EXPECT_EQ(is_legal({5, state, 3}, {5, state, 4}, M::kAp), counts) << name(state);
    EXPECT_FALSE(is_legal({5, state, 3}, {5, state, 4}, M::kCp)) << name(state);
    for (const std::uint16_t step : std::initializer_list<std::uint16_t>{0, 2, 3, 5})
      for (const M mover : {M::kCp, M::kAp})
        EXPECT_FALSE(is_legal({5, state, 3}, {5, state, step}, mover)) << name(state) << step;
  }
  EXPECT_FALSE(is_legal({5, S::kStarting, 0xffff}, {5, S::kStarting, 0}, M::kAp)) << "steps do not wrap";
}

TEST(Table, HandsOverWithTheStepsCountedAnew) {
  for (const auto &[from, to, mover] : kMoves) {
    if (to == S::kAbandoned) {
      EXPECT_TRUE(is_legal({5, from, 3}, {5, to, 3}, mover)) << "the step is kept as evidence";
      EXPECT_FALSE(is_legal({5, from, 3}, {5, to, 0}, mover)) << said(from, to, mover);
    } else {
      EXPECT_TRUE(is_legal({5, from, 3}, {5, to, 0}, mover)) << said(from, to, mover);
      EXPECT_FALSE(is_legal({5, from, 3}, {5, to, 3}, mover)) << said(from, to, mover);
    }
  }
}

TEST(Table, KicksOnlyWhatIsAtRestAndOnlyForwards) {
  for_each_pair([](S from, S to, M mover) {
    const bool kick = to == S::kKicked && mover == M::kCp && kKickedAgain.count(from) == 1;
    EXPECT_EQ(is_legal({5, from, 0}, {6, to, 0}, mover), kick) << said(from, to, mover);
    EXPECT_EQ(is_legal({5, from, 2}, {9, to, 0}, mover), kick) << "a number may be skipped";
    EXPECT_FALSE(is_legal({5, from, 0}, {4, to, 0}, mover)) << said(from, to, mover);
    EXPECT_FALSE(is_legal({5, from, 0}, {6, to, 1}, mover)) << said(from, to, mover);
  });
}

TEST(Table, OnlyEverGrows) {
  for_each_pair([](S from, S to, M mover) {
    for (const std::uint16_t step : std::initializer_list<std::uint16_t>{0, 1, 2})
      for (const std::uint32_t attempt : {4U, 5U, 6U}) {
        const Word before{5, from, 1};
        const Word after{attempt, to, step};
        if (is_legal(before, after, mover)) {
          EXPECT_GT(after.bits(), before.bits()) << said(from, to, mover);
        }
      }
  });
}

TEST(Table, GivesEachStateOneOwner) {
  for (unsigned i = 0; i < kStateCount; ++i) {
    const S state = static_cast<S>(i);
    EXPECT_EQ(row(state).state, state);
    EXPECT_EQ(is_ap_owned(state), kApsTurn.count(state) == 1) << name(state);
    EXPECT_EQ(row(state).owner == Owner::kBoth, state == S::kAbandoned) << name(state);
  }
  // Nobody but abandoning, and what was abandoned, is moved by the other side.
  for (const auto &[from, to, mover] : kMoves)
    if (to != S::kAbandoned && from != S::kAbandoned) {
      EXPECT_EQ(row(from).owner, mover == M::kCp ? Owner::kCp : Owner::kAp) << said(from, to, mover);
    }
}

TEST(Table, RefusesAStateThatDoesNotExist) {
  for (unsigned bad = kStateCount; bad < 256; ++bad)
    for (unsigned i = 0; i < kStateCount; ++i)
      for (const M mover : {M::kCp, M::kAp}) {
        EXPECT_FALSE(is_legal({5, static_cast<S>(bad), 0}, {5, static_cast<S>(i), 0}, mover));
        EXPECT_FALSE(is_legal({5, static_cast<S>(bad), 0}, {6, static_cast<S>(i), 0}, mover));
        EXPECT_FALSE(is_legal({5, static_cast<S>(i), 0}, {5, static_cast<S>(bad), 0}, mover));
      }
}

TEST(Table, NamesEachStateOnce) {
  std::set<std::string_view> names;
  for (unsigned i = 0; i < kStateCount; ++i)
    EXPECT_TRUE(names.insert(name(static_cast<S>(i))).second) << name(static_cast<S>(i));
  EXPECT_EQ(name(static_cast<S>(kStateCount)), "?");
}

TEST(Table, CountsACpuAsOnlineFromOnlineToDying) {
  const std::set<S> online = {S::kOnline,         S::kIdling, S::kIdle,      S::kActivating,
                              S::kActivateFailed, S::kActive, S::kUndoOnline};
  for (unsigned i = 0; i < kStateCount; ++i)
    EXPECT_EQ(is_online(static_cast<S>(i)), online.count(static_cast<S>(i)) == 1) << name(static_cast<S>(i));
}

TEST(Points, AreTheSixInTheirOrder) {
  const std::string_view names[] = {"alive", "started", "synced", "online", "idle", "active"};
  ASSERT_EQ(kPoints.size(), std::size(names));
  for (std::size_t i = 0; i < kPoints.size(); ++i) {
    EXPECT_EQ(name(kPoints[i].point), names[i]);
    EXPECT_TRUE(kMoves.count({kPoints[i].before, kPoints[i].arrived, M::kAp}));
    if (kPoints[i].point != Point::kActive) {
      EXPECT_TRUE(kMoves.count({kPoints[i].arrived, kPoints[i].released, M::kCp}));
    }
  }
  EXPECT_EQ(row(Point::kStarted).section, Section::kStarting);
  EXPECT_EQ(row(Point::kActive).section, Section::kOnline);
}

TEST(Points, SayWhatACpuStillOwes) {
  const std::pair<S, std::string_view> owes[] = {
      {S::kDown, "alive"},        {S::kKicked, "alive"},     {S::kClaimed, "alive"},
      {S::kAlive, "started"},     {S::kStarting, "started"}, {S::kStarted, "synced"},
      {S::kSyncing, "synced"},    {S::kSynced, "online"},    {S::kOnlining, "online"},
      {S::kOnline, "idle"},       {S::kIdling, "idle"},      {S::kIdle, "active"},
      {S::kActivating, "active"}, {S::kActive, "active"},    {S::kActivateFailed, "dying"},
      {S::kUndoOnline, "dying"},  {S::kDying, "dead"},       {S::kStartFailed, "dead"},
      {S::kUndoStarting, "dead"}, {S::kDead, "dead"},
  };
  for (const auto &[state, point] : owes)
    EXPECT_EQ(owed(state), point) << name(state);
}

} // namespace
