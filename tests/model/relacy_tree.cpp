// The tree, with the real driver and the real control CPU: CPU 1 is up, and is left CPU 2. Whoever
// looks at an AP's word must have its control object: who takes it over comes after whoever had it.
#include "relacy_main.hpp"
#include "relacy_run.hpp"

namespace reveille::model {
namespace {

Plan tree() {
  Plan p;
  p.aps = 2;
  p.strategy = abi::Strategy::kTree;
  return p;
}

/// From where CPU 2 is left to CPU 1 to where it is alive.
struct Left {
  static Plan plan() {
    Plan p = tree();
    p.races_from_event = EventKind::kDelegated;
    p.races_to = Place::kAlive;
    return p;
  }
};

/// From where it is on its last steps to where CPU 0 has got it back.
struct GivenBack {
  static Plan plan() {
    Plan p = tree();
    p.races_from = Place::kActive;
    p.races_on_cpu = 2;
    return p;
  }
};

/// CPU 0 finds the lease not renewed, so many times, and shuts CPU 1 out, wherever it is by then:
/// it lets go, and CPU 0 adopts CPU 2. Until CPU 2 is at kTo.
template <unsigned kLapses, Place kTo> struct Fenced {
  static Plan plan() {
    Plan p = tree();
    p.races_from_event = EventKind::kDelegated;
    p.races_to = kTo;
    p.lapses = kLapses;
    return p;
  }
};

/// The same, but CPU 2 is under way by then: CPU 0's time is up where CPU 2 is at kAt.
template <Place kAt, unsigned kLapses> struct FencedAt {
  static Plan plan() {
    Plan p = tree();
    p.races_from = kAt;
    p.races_on_cpu = 2;
    p.lapses = kLapses;
    p.lapses_at = kAt;
    return p;
  }
};

const std::vector<Case> kCases = {
    {"left", simulate<Run<Left, 3>>, {}},
    {"given-back", simulate<Run<GivenBack, 3>>, {6}},
    {"fenced-at-once", simulate<Run<Fenced<1, Place::kAlive>, 3>>, {4}},
    {"fenced-later", simulate<Run<Fenced<2, Place::kAlive>, 3>>, {4}},
    {"adopted-before-alive", simulate<Run<FencedAt<Place::kAlive, 2>, 3>>, {1}},
    {"adopted-before-idle", simulate<Run<FencedAt<Place::kIdle, 2>, 3>>, {2}},
    {"adopted-or-given-back", simulate<Run<FencedAt<Place::kActive, 2>, 3>>, {3}},
};

} // namespace
} // namespace reveille::model

int main(int argc, char **argv) { return reveille::model::run_cases(reveille::model::kCases, argc, argv); }
