// The AP's side in one thread: the CP's part is done by hand whenever the AP waits.
#include "core/ap.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <functional>
#include <stdexcept>
#include <vector>

namespace {

using namespace reveille::core;
using reveille::abi::EventKind;
using reveille::abi::Place;
namespace protocol = reveille::protocol;

/// Lets the AP go on from wherever it waits, until told otherwise.
class Ap {
public:
  using Cell = std::atomic<std::uint64_t>;
  struct TscLine {
    Cell mark = 0, tsc = 0;
  };
  Cell &word(unsigned) { return cell; }
  TscLine &tsc_ap(unsigned) { return mine; }
  TscLine &tsc_cp(unsigned) { return theirs; }
  Cell &lease(unsigned) { return my_lease; }
  std::uint64_t now() { return ++time; }
  void log(EventKind kind, unsigned, std::uint32_t, std::uint64_t a, std::uint64_t b) {
    if (kind == EventKind::kMoved) {
      EXPECT_TRUE(protocol::is_legal(Word::from(a), Word::from(b), protocol::Mover::kAp));
    }
  }
  unsigned step_count(Section) { return step_counts; }
  StepInfo step_info(Section, unsigned) { return {"step", true, true}; }
  int start_step(Section section, unsigned i, StepTarget &target) {
    EXPECT_EQ(target.token, 9U);
    steps.emplace_back(section, i);
    return section == fails && i == 1 ? -3 : 0;
  }
  void undo_step(Section section, unsigned i, StepTarget &) { undone.emplace_back(section, i); }
  void wake(unsigned cpu) {
    ++wakes;
    woken = cpu;
  }
  void relax() { while_looking(); }
  unsigned cpu() { return 1; }
  unsigned control_cpu() { return control; }
  std::uint32_t token() { return 9; }
  void at(Place place) { places.push_back(place); }
  auto &arrivals() { return map; }
  template <class Until> void wait(Until &&until) {
    const Word seen = Word::from(cell);
    map.drain([](unsigned) {});
    release(seen);
    EXPECT_TRUE(until());
  }
  template <class Until> bool wait_for(Until &&until, std::uint64_t) { return until(); }
  void put_failure(unsigned step, int error) { failure = {step, error}; }
  void enter_idle() {
    EXPECT_EQ(Word::from(cell).state, State::kIdling) << "before it says that it is idle";
    ++idles;
  }
  template <class Until> void idle(Until &&until) {
    EXPECT_FALSE(until()) << "nobody has called for it yet";
    call();
    EXPECT_TRUE(until());
  }
  void leave_idle() { --idles; }

  Word run() {
    cell = Word{3, State::kClaimed, 0}.bits();
    ApSide<Ap> side(*this, Word{3, State::kClaimed, 0}, settings);
    if (side.bring_up() == ApEnd::kRest)
      come_to_rest(*this, side.word());
    return Word::from(cell);
  }
  void release_as_asked(Word seen) {
    cell = seen.with(static_cast<State>(std::countr_zero(protocol::row(seen.state).owner_moves_to.bits())))
               .bits();
  }

  Settings settings;
  Cell cell = 0, my_lease = 0;
  std::function<void()> call = [] {}, while_looking = [] {};
  TscLine mine, theirs;
  Arrivals<Cell, 2> map;
  std::function<void(Word)> release = [this](Word seen) { release_as_asked(seen); };
  Section fails = Section::kNone;
  Failure failure;
  std::vector<std::pair<Section, unsigned>> steps, undone;
  std::vector<Place> places;
  std::uint64_t time = 0;
  unsigned step_counts = 2; ///< in each section
  unsigned control = 0;     ///< the CPU that brings it up
  unsigned woken = 99;
  unsigned wakes = 0;
  int idles = 0;
};
static_assert(ApEnvironment<Ap>);

TEST(ApSide, GoesThroughAllPlacesInTheirOrder) {
  Ap ap;
  EXPECT_EQ(ap.run(), (Word{3, State::kActive, 0}));
  ASSERT_EQ(ap.places.size(), 12U);
  for (unsigned i = 0; i < 12; ++i)
    EXPECT_EQ(ap.places[i], static_cast<Place>(i));
  EXPECT_EQ(ap.steps.size(), 4U);
  EXPECT_EQ(ap.idles, 1);
  EXPECT_EQ(ap.wakes, 6U) << "one for each point: each time the map had been emptied";
  EXPECT_TRUE(ap.undone.empty());
}

TEST(ApSide, LooksForEachMarkAsLongAsItMay) {
  using Mark = TscMark;
  for (const unsigned pinged : {2U, 4U}) { // of four
    Ap ap;
    ap.settings.tsc_look = 40;
    unsigned round = 1;
    ap.theirs.mark = Mark::make(3, Mark::What::kRound, round); // it is called at once
    std::uint64_t answered_at = 0;
    ap.while_looking = [&] { // and each other round comes late, but not too late
      if (ap.time > 1000)
        throw std::runtime_error("the AP looks for ever");
      if (ap.mine.mark != Mark::make(3, Mark::What::kRound, round) || round == pinged)
        return;
      if (answered_at == 0)
        answered_at = ap.time;
      if (ap.time < answered_at + 30)
        return;
      ap.theirs.mark = Mark::make(3, Mark::What::kRound, ++round);
      answered_at = 0;
    };
    EXPECT_EQ(ap.run(), (Word{3, State::kActive, 0})) << "it is no failure";
    EXPECT_EQ(round, pinged);
    EXPECT_EQ(ap.mine.mark,
              pinged == 4 ? Mark::make(3, Mark::What::kRound, 4) : Mark::make(3, Mark::What::kClosed));
    EXPECT_LT(ap.time, pinged * 40 + 20) << "and it does not look for ever";
  }
}

TEST(ApSide, GoesOnAfterNothingButTheReleaseOfItsOwnAttempt) {
  // Whatever else its word becomes, it comes to rest, and runs no further step.
  for (const Word &word :
       {Word{4, State::kKicked, 0}, Word{4, State::kStarting, 0}, Word{3, State::kSyncing, 0},
        Word{3, State::kStarting, 1}, Word{3, State::kAbandoned, 0}, Word{2, State::kStarting, 0}}) {
    Ap ap;
    ap.release = [&](Word) { ap.cell = word.bits(); };
    const Word end = ap.run();
    EXPECT_TRUE(ap.steps.empty()) << protocol::name(word.state);
    EXPECT_EQ(end, word.state == State::kAbandoned ? word.with(State::kParked) : word);
  }
}

TEST(ApSide, RestsInSilenceWhenALaterAttemptIsGivenUp) {
  Ap ap;
  ap.release = [&](Word) { ap.cell = Word{4, State::kAbandoned, 0}.bits(); };
  EXPECT_EQ(ap.run(), (Word{4, State::kAbandoned, 0})) << "that word is not its own to park";
}

TEST(ApSide, RollsBackOnOrderAndGoesDead) {
  for (const Section section : {Section::kStarting, Section::kOnline}) {
    Ap ap;
    ap.fails = section;
    EXPECT_EQ(ap.run(), (Word{3, State::kDead, 0}));
    EXPECT_EQ(ap.failure.step, 1U);
    EXPECT_EQ(ap.failure.error, -3);
    EXPECT_EQ(ap.idles, 0);
    std::vector<std::pair<Section, unsigned>> backwards(ap.steps.rbegin(), ap.steps.rend());
    EXPECT_EQ(ap.undone, backwards) << "the failed step is half done";
  }
}

TEST(ApSide, UndoesNothingWithoutTheOrder) {
  Ap ap;
  ap.fails = Section::kStarting;
  ap.release = [&](Word seen) {
    if (seen.state == State::kStartFailed)
      ap.cell = Word{3, State::kAbandoned, 0}.bits();
    else
      ap.release_as_asked(seen);
  };
  EXPECT_EQ(ap.run(), (Word{3, State::kParked, 0}));
  EXPECT_TRUE(ap.undone.empty());
}

TEST(ApSide, WakesTheCpOnlyWhenTheMapWasEmpty) {
  Ap ap;
  ap.release = [&](Word seen) {
    ap.release_as_asked(seen);
    static_cast<void>(ap.map.raise(0)); // somebody else's arrival, which has woken the CP
  };
  EXPECT_EQ(ap.run().state, State::kActive);
  EXPECT_EQ(ap.wakes, 1U);
}

TEST(ApSide, TellsTheControlCpuThatItHas) {
  Ap ap;
  ap.control = 5;
  EXPECT_EQ(ap.run().state, State::kActive);
  EXPECT_EQ(ap.woken, 5U);
  EXPECT_EQ(ap.wakes, 7U) << "one for each point, and one for the TSC";
  EXPECT_FALSE(ap.map.any()) << "the map is CPU 0's";
}

/// An AP that is up, in the third attempt.
struct Up {
  Up() { EXPECT_EQ(side.bring_up(), ApEnd::kActive); }
  /// Calls it to `word`, and does what it is then called for.
  Word down(Word word) {
    ap.call = [this, word] { ap.cell = word.bits(); };
    if (side.idle() == ApCall::kDown)
      side.go_down();
    come_to_rest(ap, side.word());
    return Word::from(ap.cell);
  }
  Ap ap;
  Word claimed{3, State::kClaimed, 0};
  Word start = Word::from(ap.cell = claimed.bits());
  ApSide<Ap> side{ap, claimed, ap.settings};
};

TEST(ApSide, GoesDownThroughDyingToDead) {
  Up up;
  EXPECT_EQ(up.ap.idles, 1);
  up.ap.places.clear();
  EXPECT_EQ(up.down({3, State::kUndoOnline, 0}), (Word{3, State::kDead, 0}));
  const std::vector<std::pair<Section, unsigned>> backwards(up.ap.steps.rbegin(), up.ap.steps.rend());
  EXPECT_EQ(up.ap.undone, backwards);
  EXPECT_EQ(up.ap.places, (std::vector<Place>{Place::kDying, Place::kDead}));
  EXPECT_EQ(up.ap.idles, 0) << "out of thread context before it says that it is dying";
}

TEST(ApSide, UndoesOnTheWayDownWhatItHasRunAndNoMore) {
  Up up;
  up.ap.step_counts = 5; // registered while it was up
  EXPECT_EQ(up.down({3, State::kUndoOnline, 0}).state, State::kDead);
  EXPECT_EQ(up.ap.undone.size(), 4U);
}

TEST(ApSide, GoesDownOnNothingButTheOrderForItsOwnAttempt) {
  for (const Word &word : {Word{3, State::kAbandoned, 0}, Word{4, State::kUndoOnline, 0},
                           Word{3, State::kUndoOnline, 1}, Word{4, State::kKicked, 0}}) {
    Up up;
    const Word end = up.down(word);
    EXPECT_EQ(end, word.state == State::kAbandoned ? word.with(State::kParked) : word);
    EXPECT_TRUE(up.ap.undone.empty()) << protocol::name(word.state);
  }
}

TEST(ApSide, ThatIsGivenUpAtDyingUndoesNoStartingStep) {
  Up up;
  up.ap.release = [&](Word seen) { up.ap.cell = seen.with(State::kAbandoned).bits(); };
  EXPECT_EQ(up.down({3, State::kUndoOnline, 0}), (Word{3, State::kParked, 0}));
  EXPECT_EQ(up.ap.undone.size(), 2U);
}

TEST(ApSide, IsCalledForALeaseThatItHolds) {
  using Phase = Lease::Phase;
  for (const Phase phase : {Phase::kHeld, Phase::kFenced}) {
    Up up;
    up.ap.call = [&] { up.ap.my_lease = Lease{7, phase, 0}.bits(); };
    EXPECT_EQ(up.side.idle(), ApCall::kControl);
    EXPECT_EQ(Word::from(up.ap.cell), (Word{3, State::kActive, 0})) << "it stays up";
  }
}

TEST(ApSide, IsNotCalledForALeaseThatItHasGivenBack) {
  using Phase = Lease::Phase;
  for (const Phase phase : {Phase::kNone, Phase::kReturned, Phase::kLetGo}) {
    Up up;
    up.ap.my_lease = Lease{7, phase, 3}.bits();
    EXPECT_EQ(up.down({3, State::kUndoOnline, 0}).state, State::kDead) << "and waits for what else there is";
  }
}

} // namespace
