// Down and up again: every interleaving of each part of the way, which together are the whole of
// it, and of giving the AP up on it. And the whole at once, and two APs, within a bound.
#include "relacy_main.hpp"
#include "relacy_run.hpp"

namespace reveille::model {
namespace {

/// From where CPU 0 begins to take the AP down to where the AP has undone its ONLINE steps.
struct TakeDown {
  static Plan plan() {
    return {.races_to = Place::kDying,
            .races_from_event = EventKind::kTakeDown,
            .phases = 2,
            .ends = State::kDead};
  }
};
template <Place kFrom, Place kTo> struct Between {
  static Plan plan() { return {.races_from = kFrom, .races_to = kTo, .phases = 2, .ends = State::kDead}; }
};
/// From the AP's end to where CPU 0 has undone its PREPARE steps.
struct Dead {
  static Plan plan() { return {.races_from = Place::kDead, .phases = 2, .ends = State::kDead}; }
};
/// From the end of the first attempt to where the second is alive.
struct UpAgain {
  static Plan plan() { return {.races_from = Place::kDead, .races_to = Place::kAlive, .phases = 3}; }
};
/// A part of the second attempt's way up.
template <Place kFrom, Place kTo> struct Second {
  static Plan plan() { return {.races_from = kFrom, .races_to = kTo, .races_in_attempt = 2, .phases = 3}; }
};
struct SecondActive {
  static Plan plan() { return {.races_from = Place::kActive, .races_in_attempt = 2, .phases = 3}; }
};

/// Given up as soon as it is let go on to kState: down in time, or parked and proven.
template <State kState> struct GiveUp {
  static Plan plan() {
    Plan p;
    p.give_up[0] = kState;
    p.phases = 2;
    p.ends = {};
    return p;
  }
};
/// The same, and CPU 0 goes on with the next cycle, in which the AP is to be brought up if it came down.
template <State kState> struct GiveUpAndGoOn {
  static Plan plan() {
    Plan p = GiveUp<kState>::plan();
    p.phases = 3;
    p.races_to = Place::kAlive;
    return p;
  }
};

template <unsigned kPhases> struct Whole {
  static Plan plan() { return {.races_always = true, .phases = kPhases, .ends = {}}; }
};
/// Two APs that are kicked at the same time, until one of them is past alive.
struct TwoUp {
  static Plan plan() { return {.races_to = Place::kAliveReleased, .races_from_kick = true, .aps = 2}; }
};
/// Two that are taken down at the same time, until one of them is dying.
struct TwoDown {
  static Plan plan() {
    return {.races_to = Place::kDying,
            .races_from_event = EventKind::kTakeDown,
            .aps = 2,
            .phases = 2,
            .first_in_turn = true,
            .ends = State::kDead};
  }
};
/// Two that come to their end, and are undone by CPU 0.
struct TwoDead {
  static Plan plan() {
    return {.races_from = Place::kDead, .aps = 2, .phases = 2, .first_in_turn = true, .ends = State::kDead};
  }
};

/// The whole of two APs' way down.
struct TwoWhole {
  static Plan plan() {
    return {.races_from_event = EventKind::kTakeDown,
            .aps = 2,
            .phases = 2,
            .first_in_turn = true,
            .ends = State::kDead};
  }
};

const std::vector<Case> kCases = {
    {"take-down", simulate<Run<TakeDown>>, {}},
    {"dying", simulate<Run<Between<Place::kDying, Place::kDead>>>, {}},
    {"dead", simulate<Run<Dead>>, {}},
    {"up-again", simulate<Run<UpAgain>>, {}},
    {"second-alive", simulate<Run<Second<Place::kAlive, Place::kAliveReleased>>>, {}},
    {"second-started", simulate<Run<Second<Place::kStarted, Place::kStartedReleased>>>, {}},
    {"second-online", simulate<Run<Second<Place::kOnline, Place::kOnlineReleased>>>, {}},
    {"second-idle", simulate<Run<Second<Place::kIdle, Place::kIdleReleased>>>, {}},
    {"second-active", simulate<Run<SecondActive>>, {}},
    {"give-up-undo-online", simulate<Run<GiveUp<State::kUndoOnline>>>, {}},
    {"give-up-undo-starting", simulate<Run<GiveUp<State::kUndoStarting>>>, {}},
    {"give-up-undo-starting-and-go-on", simulate<Run<GiveUpAndGoOn<State::kUndoStarting>>>, {}},
    {"whole", simulate<Run<Whole<3>>>, {3}},
    {"two-up", simulate<Run<TwoUp, 3>>, {2}},
    {"two-down", simulate<Run<TwoDown, 3>>, {5}},
    {"two-down-whole", simulate<Run<TwoWhole, 3>>, {2}},
    {"two-dead", simulate<Run<TwoDead, 3>>, {3}},
};

} // namespace
} // namespace reveille::model

int main(int argc, char **argv) { return reveille::model::run_cases(reveille::model::kCases, argc, argv); }
