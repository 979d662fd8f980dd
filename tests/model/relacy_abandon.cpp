// The CP gives an AP up at the moment when it is let go on: every interleaving of the abandoning
// with what the AP does, in each state that is the AP's, down to its park and the freeing of
// what it held. And who takes an abandoned word over finds what the CP had written.
#include "relacy_main.hpp"
#include "relacy_run.hpp"

namespace reveille::model {
namespace {

template <State kState, Section kFails = Section::kNone, bool kRendezvous = false> struct GiveUp {
  static Plan plan() {
    Plan p;
    p.give_up[0] = kState;
    p.fails = kFails;
    p.rendezvous = kRendezvous;
    p.ends = {}; // up, parked or never claimed: all of them are
    return p;
  }
};

/// Two control CPUs: one writes an account and gives the AP up, the other takes the word over.
struct Adoption : rl::test_suite<Adoption, 2> {
  Machine machine{Plan{.races_always = true}};
  Plain<unsigned> account;

  void halt() {
    machine.bell[1].halt();
    machine.cpu(kAp).word.catch_up();
  }

  void thread(unsigned index) {
    if (index == 0) {
      CpEnv env(machine);
      core::Control<CpEnv> control;
      control.init(kAp);
      RL_ASSERT(control.kick(env) == core::Outcome::kTurn);
      account.set(1);
      RL_ASSERT(control.expire(env, machine.settings) == core::Outcome::kGaveUp);
      machine.bell[1].ring();
    } else {
      while (Word::from(machine.cpu(kAp).word.load(std::memory_order_acquire)).state != State::kAbandoned)
        halt();
      account.set(account.get() + 1);
    }
  }
};

const std::vector<Case> kCases = {
    {"kicked", simulate<Run<GiveUp<State::kKicked>>>, {}},
    {"starting", simulate<Run<GiveUp<State::kStarting>>>, {}},
    {"starting-fails", simulate<Run<GiveUp<State::kStarting, Section::kStarting>>>, {}},
    {"syncing", simulate<Run<GiveUp<State::kSyncing>>>, {5}},
    {"syncing-with-tsc", simulate<Run<GiveUp<State::kSyncing, Section::kNone, true>>>, {4}},
    {"onlining", simulate<Run<GiveUp<State::kOnlining>>>, {}},
    {"idling", simulate<Run<GiveUp<State::kIdling>>>, {}},
    {"activating", simulate<Run<GiveUp<State::kActivating>>>, {}},
    {"activating-fails", simulate<Run<GiveUp<State::kActivating, Section::kOnline>>>, {}},
    {"undo-online", simulate<Run<GiveUp<State::kUndoOnline, Section::kOnline>>>, {}},
    {"undo-starting", simulate<Run<GiveUp<State::kUndoStarting, Section::kStarting>>>, {}},
    {"adoption", simulate<Adoption>, {}},
};

} // namespace
} // namespace reveille::model

int main(int argc, char **argv) { return reveille::model::run_cases(reveille::model::kCases, argc, argv); }
