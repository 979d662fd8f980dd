// Bring-up through all six points: every interleaving of each hand-over, within the real run.
#include "relacy_main.hpp"
#include "relacy_run.hpp"

namespace reveille::model {
namespace {

struct Kick {
  static Plan plan() { return {.races_to = Place::kAlive, .races_from_kick = true}; }
};
template <Place kFrom, Place kTo> struct Between {
  static Plan plan() { return {.races_from = kFrom, .races_to = kTo}; }
};
struct Active {
  static Plan plan() { return {.races_from = Place::kActive}; }
};
struct Meeting {
  static Plan plan() {
    return {.races_from = Place::kStartedReleased, .races_to = Place::kSynced, .rendezvous = true};
  }
};
struct Whole {
  static Plan plan() { return {.races_always = true}; }
};
struct WholeWithTsc {
  static Plan plan() { return {.races_always = true, .rendezvous = true}; }
};
template <Section kSection> struct Failing {
  static Plan plan() { return {.races_from_failure = true, .fails = kSection, .ends = State::kDead}; }
};

struct FailingWithAHint {
  static Plan plan() {
    Plan p = Failing<Section::kStarting>::plan();
    p.hints = true;
    return p;
  }
};

const std::vector<Case> kCases = {
    {"kick", simulate<Run<Kick>>, {}},
    {"alive", simulate<Run<Between<Place::kAlive, Place::kAliveReleased>>>, {}},
    {"started", simulate<Run<Between<Place::kStarted, Place::kStartedReleased>>>, {}},
    {"synced", simulate<Run<Between<Place::kSynced, Place::kSyncedReleased>>>, {}},
    {"online", simulate<Run<Between<Place::kOnline, Place::kOnlineReleased>>>, {}},
    {"idle", simulate<Run<Between<Place::kIdle, Place::kIdleReleased>>>, {}},
    {"active", simulate<Run<Active>>, {}},
    {"tsc", simulate<Run<Meeting>>, {5}},
    {"starting-fails", simulate<Run<Failing<Section::kStarting>>>, {}},
    {"starting-fails-with-a-hint", simulate<Run<FailingWithAHint>>, {4}},
    {"online-fails", simulate<Run<Failing<Section::kOnline>>>, {4}},
    {"whole", simulate<Run<Whole>>, {3}},
    {"whole-with-tsc", simulate<Run<WholeWithTsc>>, {3}},
};

} // namespace
} // namespace reveille::model

int main(int argc, char **argv) { return reveille::model::run_cases(reveille::model::kCases, argc, argv); }
