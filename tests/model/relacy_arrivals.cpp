// The arrival map: two who arrive, one who serves and halts when there is nothing to serve.
// There are no timers: an arrival that is lost is a deadlock.
#include "relacy_cell.hpp"
#include "relacy_main.hpp"

#include "core/arrivals.hpp"

namespace reveille::model {
namespace {

/// kCapacity decides the levels; the two who arrive are kFirst and kSecond. The first dies
/// between two levels if kDies.
template <unsigned kCapacity, unsigned kFirst, unsigned kSecond, bool kDies = false>
struct Arriving : rl::test_suite<Arriving<kCapacity, kFirst, kSecond, kDies>, 3> {
  core::Arrivals<Cell, kCapacity> arrivals;
  Cell word[2];
  Plain<unsigned> work[2];
  Bell bell;

  Arriving() {
    stage = Stage{};
    stage.dies_at[1] = kDies ? 3 : 0; // after its word and its bit, before the summary
  }

  void thread(unsigned index) {
    if (index == 0)
      serve();
    else
      arrive(index - 1);
  }

  void arrive(unsigned who) {
    try {
      work[who].set(7);
      word[who].store(1, std::memory_order_release); // as ApSide does
      if (arrivals.raise(who == 0 ? kFirst : kSecond))
        bell.ring();
    } catch (const Reset &) {
    }
  }

  void serve() {
    bool served[2] = {};
    const auto all_served = [&] { return served[1] && (served[0] || kDies); };
    while (!all_served()) {
      arrivals.drain([&](unsigned cpu) {
        const unsigned who = cpu == kFirst ? 0 : 1;
        RL_ASSERT(cpu == kFirst || cpu == kSecond);
        if (word[who].load(std::memory_order_acquire) == 1) {
          RL_ASSERT(!served[who]);
          served[who] = true;
          RL_ASSERT(work[who].get() == 7);
        }
      });
      if (!all_served() && !arrivals.any())
        bell.halt();
    }
  }
};

const std::vector<Case> kCases = {
    {"one-level", simulate<Arriving<2, 0, 1>>, {}},
    {"two-levels-two-words", simulate<Arriving<65, 1, 64>>, {}},
    {"two-levels-one-word", simulate<Arriving<65, 1, 2>>, {}},
    {"one-dies-between-levels", simulate<Arriving<65, 1, 2, true>>, {}},
};

} // namespace
} // namespace reveille::model

int main(int argc, char **argv) { return reveille::model::run_cases(reveille::model::kCases, argc, argv); }
