// A second attempt while the first is not over: the AP is reset wherever it is, or its thread
// goes on late beside that of the second; the retry's kick races the park of the first.
#include "relacy_main.hpp"
#include "relacy_run.hpp"

namespace reveille::model {
namespace {

/// Given up in kFirst, and kicked again, which resets the AP wherever it has got to.
template <State kFirst> struct Again {
  static Plan plan() {
    Plan p;
    p.give_up[0] = kFirst;
    p.attempts = 2;
    p.races_to = Place::kStarted; // the first steps of the attempt that comes up are in it
    return p;
  }
};

/// The second attempt is given up too, while it is being claimed: a claim is proof enough for
/// the CP to undo the first, which had just been at kLate.
template <Place kLate, State kFirst> struct AgainAndAgain {
  static Plan plan() {
    Plan p;
    p.give_up[0] = kFirst;
    p.give_up[1] = State::kKicked;
    p.late_at = kLate;
    p.races_from_attempt = 2;
    p.attempts = 2;
    p.awaits_proof = false; // if nobody claims the second, the first stays in quarantine
    p.ends = {};
    return p;
  }
};

/// The first attempt's thread is not reset: it goes on late, beside the second's.
template <Place kLate, State kFirst> struct Beside {
  static Plan plan() {
    Plan p;
    p.give_up[0] = kFirst;
    p.attempts = 2;
    p.resets = false;
    p.late_at = kLate;
    p.races_to = Place::kAliveReleased;
    return p;
  }
};

const std::vector<Case> kCases = {
    {"kicked-again", simulate<Run<Again<State::kKicked>>>, {5}},
    {"starting-again", simulate<Run<Again<State::kStarting>>>, {5}},
    {"onlining-again", simulate<Run<Again<State::kOnlining>>>, {5}},
    {"starting-twice", simulate<Run<AgainAndAgain<Place::kStarted, State::kStarting>>>, {}},
    {"late-alive-beside", simulate<Run<Beside<Place::kAlive, State::kKicked>, 3>>, {4}},
    {"late-started-beside", simulate<Run<Beside<Place::kStarted, State::kStarting>, 3>>, {4}},
};

} // namespace
} // namespace reveille::model

int main(int argc, char **argv) { return reveille::model::run_cases(reveille::model::kCases, argc, argv); }
