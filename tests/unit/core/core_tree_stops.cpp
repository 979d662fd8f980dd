// Tree, with control CPUs that stop, for a while or for good, and what becomes of their APs.
#include "tree_bench.hpp"

namespace {

using namespace reveille::unit;
using reveille::abi::FailReason;

/// Where the control CPU of CPU 4 stops.
enum class Where { kBeforeItBegins, kPrepare, kKick, kAfterTheKick };

class Stopping : public testing::TestWithParam<Where> {
protected:
  /// It stops there for so long, in ticks.
  void stop_for(Tree &bench, std::uint64_t ticks) {
    const auto hold_once = [this, &bench, ticks](unsigned cpu) {
      if (cpu != 4 || held || bench.machine.cpu() == 0)
        return;
      held = true;
      control = bench.machine.cpu();
      bench.machine.hold(ticks);
    };
    switch (GetParam()) {
    case Where::kBeforeItBegins:
      bench.machine.serve = [&bench, hold_once, serve = bench.machine.serve] {
        hold_once(reveille::core::Lease::from(bench.machine.lease(bench.machine.cpu())).child);
        serve();
      };
      break;
    case Where::kPrepare:
      bench.machine.start = [hold_once](Section section, unsigned, unsigned cpu, std::uint32_t) {
        if (section == Section::kPrepare)
          hold_once(cpu);
        return 0;
      };
      break;
    case Where::kKick:
      bench.machine.before_kick = hold_once;
      break;
    case Where::kAfterTheKick:
      bench.machine.after_kick = hold_once;
      break;
    }
  }
  bool held = false;
  unsigned control = 0;
};

TEST_P(Stopping, ForAWhileIsFencedAndTheApIsAdopted) {
  Tree bench(12);
  stop_for(bench, GetParam() == Where::kBeforeItBegins ? 1500 : 2500);
  static_cast<void>(bench.run());
  EXPECT_TRUE(held);
  EXPECT_EQ(bench.count(State::kActive), 11U);
  EXPECT_EQ(bench.logged(EventKind::kFenced), 1U);
  EXPECT_EQ(bench.logged(EventKind::kAdopted), 1U);
  EXPECT_EQ(bench.machine.last(EventKind::kAdopted).cpu, 4U);
  EXPECT_EQ(bench.machine.last(EventKind::kAdopted).a, control);
  EXPECT_EQ(bench.logged(EventKind::kFailed), 0U);
  EXPECT_EQ(bench.machine.seen(4).attempt, 1U) << "the attempt that was under way is gone on with";
  static_cast<void>(bench.run_down());
  EXPECT_EQ(bench.count(State::kDead), 11U);
  EXPECT_EQ(bench.machine.freed.size(), 11U) << "nothing is left behind";
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive), 11U);
}

TEST_P(Stopping, ShorterThanTheLeaseIsNoticedByNobody) {
  Tree bench(12);
  stop_for(bench, 900);
  static_cast<void>(bench.run());
  EXPECT_TRUE(held);
  EXPECT_EQ(bench.count(State::kActive), 11U);
  EXPECT_EQ(bench.logged(EventKind::kFenced), 0U);
}

TEST_P(Stopping, ForGoodLosesItsApAndNobodyElse) {
  Tree bench(12);
  stop_for(bench, ScriptedMachine::kNever);
  const std::uint64_t took = bench.run();
  EXPECT_EQ(took / bench.settings.timeout, GetParam() == Where::kBeforeItBegins ? 2U : 3U)
      << "seen to work, seen to have stopped, and not let go";
  EXPECT_EQ(bench.logged(EventKind::kFailed), 1U);
  const Record failed = bench.machine.last(EventKind::kFailed);
  EXPECT_EQ(failed.cpu, 4U);
  EXPECT_EQ(failed.b, reveille::abi::failed(FailReason::kLost, 0, 0, 0));
  EXPECT_EQ(Word::from(failed.a), bench.machine.seen(4));
  EXPECT_EQ(bench.logged(EventKind::kOnline), 10U);
  EXPECT_EQ(bench.logged(EventKind::kAdopted), 0U);
  EXPECT_TRUE(bench.machine.undone.empty()) << "nothing of it is proven";
  EXPECT_TRUE(bench.driver.decided());
  // The control CPU does not answer either when it is to go down; from then on both are out.
  static_cast<void>(bench.run_down());
  EXPECT_EQ(bench.machine.last(EventKind::kFailed).cpu, control);
  EXPECT_EQ(bench.machine.seen(control).state, State::kAbandoned);
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive) - (bench.machine.seen(4).state == State::kActive), 9U);
}

INSTANTIATE_TEST_SUITE_P(Anywhere, Stopping,
                         testing::Values(Where::kBeforeItBegins, Where::kPrepare, Where::kKick,
                                         Where::kAfterTheKick));

TEST(Tree, ServesAnApThatWasLeftToItselfMeanwhile) {
  // Whatever the AP does while its control CPU is shut out: it waits, or it is late.
  for (const State dies : {State::kDown, State::kClaimed, State::kStarting, State::kActivating}) {
    Tree bench(6);
    bench.machine.habit = [&](unsigned cpu, std::uint32_t) {
      return Habit{10, cpu == 4 ? dies : State::kDown};
    };
    bool held = false;
    bench.machine.after_kick = [&](unsigned cpu) {
      if (cpu == 4 && !held && bench.machine.cpu() != 0) {
        held = true;
        bench.machine.hold(2500);
      }
    };
    static_cast<void>(bench.run());
    EXPECT_TRUE(held);
    EXPECT_EQ(bench.count(State::kActive), dies == State::kDown ? 5U : 4U);
    EXPECT_EQ(bench.logged(EventKind::kAdopted), 1U);
    if (dies != State::kDown) {
      EXPECT_EQ(bench.machine.last(EventKind::kFailed).b,
                reveille::abi::failed(FailReason::kTimeout, 0, 0, 0))
          << "it is not lost: CPU 0 has waited for it itself";
    }
  }
}

TEST(Tree, FindsAnApThatParkedUnderItsControlCpu) {
  // Given up by another control CPU, it parks at once, and tells that one; who takes it back looks.
  Tree bench(6);
  bench.machine.habit = [](unsigned cpu, std::uint32_t) {
    return Habit{10, cpu == 4 ? State::kStarting : State::kDown};
  };
  unsigned stopped_by = 0;
  bench.machine.after_stop = [&](unsigned cpu) {
    stopped_by = bench.machine.cpu();
    bench.machine.ap_moves(cpu, State::kParked);
  };
  static_cast<void>(bench.run());
  EXPECT_NE(stopped_by, 0U);
  EXPECT_EQ(bench.seats[4].control.quarantined(), 0U);
  EXPECT_EQ(bench.machine.freed.size(), 1U);
}

TEST(Tree, FreesWhatALostApHeldOnceItsControlCpuLetsGo) {
  for (const bool parks_at_once : {false, true}) {
    Tree bench(6);
    bool held = false;
    bench.machine.habit = [](unsigned cpu, std::uint32_t) {
      return Habit{10, cpu == 4 ? State::kStarting : State::kDown};
    };
    bench.machine.after_release = [&](unsigned cpu) {
      if (cpu == 4 && !held && bench.machine.cpu() != 0) {
        held = true;
        bench.machine.hold(20'000);
      }
    };
    bench.machine.after_stop = [&](unsigned cpu) {
      if (parks_at_once)
        bench.machine.ap_moves(cpu, State::kParked);
    };
    static_cast<void>(bench.run());
    EXPECT_TRUE(held);
    EXPECT_EQ(bench.machine.last(EventKind::kFailed).b, reveille::abi::failed(FailReason::kLost, 0, 0, 0));
    EXPECT_TRUE(bench.machine.freed.empty());
    while (!bench.machine.was_logged(EventKind::kAdopted)) { // as CPU 0 does until the run ends
      bench.machine.wait_until([&] { return bench.machine.arrivals().any(); }, bench.driver.deadline());
      bench.driver.poll();
    }
    EXPECT_EQ(bench.machine.seen(4).state, parks_at_once ? State::kParked : State::kAbandoned);
    if (!parks_at_once)
      bench.machine.ap_moves(4, State::kParked);
    bench.driver.poll();
    EXPECT_EQ(bench.seats[4].control.quarantined(), 0U);
    EXPECT_EQ(bench.machine.freed.size(), 1U);
    EXPECT_EQ(bench.logged(EventKind::kFailed), 1U) << "decided once";
    EXPECT_EQ(bench.logged(EventKind::kOnline), 4U);
    EXPECT_TRUE(bench.driver.decided());
  }
}

TEST(Tree, MakesUseAgainOfAControlCpuThatWasShutOut) {
  Tree bench(30, 2);
  bench.machine.habit = [](unsigned, std::uint32_t) { return Habit{60}; };
  unsigned control = 0;
  bench.machine.before_kick = [&](unsigned) {
    if (control == 0 && bench.machine.cpu() != 0) {
      control = bench.machine.cpu();
      bench.machine.hold(2500);
    }
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive), 29U);
  unsigned given = 0;
  for (const Record &record : bench.machine.logged(EventKind::kDelegated))
    given += record.a == control;
  EXPECT_GT(given, 1U);
}

TEST(Delegate, LetsGoOfALeaseOnNobody) {
  Tree bench(3);
  bench.machine.lease(2) = reveille::core::Lease{7, reveille::core::Lease::Phase::kHeld, 0}.bits();
  bench.machine.contexts.begin(2, bench.machine.serve);
  EXPECT_TRUE(bench.machine.contexts.run_one(bench.machine.time));
  EXPECT_EQ(reveille::core::Lease::from(bench.machine.lease(2)).phase, reveille::core::Lease::Phase::kLetGo);
  EXPECT_TRUE(bench.machine.arrivals().any()) << "and says so";
}

TEST(Delegate, RenewsItsLeaseOftenEnoughWhileItsApIsSilent) {
  Tree bench(4);
  bench.machine.habit = [&](unsigned cpu, std::uint32_t) {
    return Habit{cpu == 3 ? 990U : 1U}; // each of its moves takes nearly a whole turn
  };
  static_cast<void>(bench.run());
  EXPECT_EQ(bench.count(State::kActive), 2U);
  EXPECT_EQ(bench.logged(EventKind::kFenced), 0U);
}

} // namespace
