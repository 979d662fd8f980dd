// The critical chains of real runs: clocks of real CPUs, a host's clock for the faults, and all that
// the events of the guest have between them.
#include "tests/kvm/bare_guest.hpp"
#include "tests/unit/analysis/whole_chain.hpp"
#include "vmm/judge/verdict.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/scenario/load.hpp"

#include <fmt/format.h>

namespace reveille::vmm::test {
namespace {

struct Told {
  Observation seen;
  Verdict verdict;
  Chain chain;
};

Told run(const std::string &bringup, const std::string &faults = {}) {
  const Scenario scenario =
      must(parse_scenario(fmt::format("[machine]\nvcpus = 5\n[bringup]\n{}\n{}", bringup, faults), "made"));
  Machine machine = must(Machine::build(scenario, std::string(REVEILLE_GUEST)));
  Lab lab(scenario, machine);
  Told told{must(lab.run({})), {}, {}};
  told.verdict = judge(scenario, told.seen);
  told.chain = critical_chain(scenario, told.seen, told.verdict);
  expect_whole(told.chain, bringup);
  for (const ChainLink &link : told.chain.links)
    EXPECT_NE(link.kind, LinkKind::kUnknown) << bringup << " at " << link.from_us;
  return told;
}

TEST(ChainOnKvm, IsWholeWhateverTheStrategy) {
  for (const char *strategy : {"serial", "split", "parallel", "tree"}) {
    const Told told = run(fmt::format("strategy = '{}'", strategy));
    EXPECT_EQ(told.chain.end, ChainEnd::kActive) << strategy;
    EXPECT_EQ(told.chain.total_us, told.verdict.bringup_us) << strategy;
    const Blame blame = blame_of(told.chain, told.seen);
    EXPECT_GT(told.seen.boot_us, 0) << strategy;
    EXPECT_GT(blame.total_us, told.chain.total_us) << strategy;
  }
}

TEST(ChainOnKvm, GoesThroughAllCycles) {
  const Told told = run("cycles = 3");
  EXPECT_EQ(told.chain.cycles, 3U);
  EXPECT_NE(told.chain.links.front().kind, LinkKind::kEarlier);
}

TEST(ChainOnKvm, TellsWhatAFaultTook) {
  const Told told =
      run("", "[[fault]]\ncpu = 3\nat = 'alive.released'\naction = 'delay'\nduration_ms = 400\n");
  const ChainLink held = first_of(told.chain, LinkKind::kHeld, 3);
  EXPECT_EQ(held.fault, 0U);
  ASSERT_EQ(told.seen.firings.size(), 1U);
  const Firing &firing = told.seen.firings.front();
  EXPECT_GE(held.from_us, firing.began_us - 1);
  EXPECT_LE(held.to_us, firing.ended_us + 1);
  EXPECT_GT(held.us(), 0.9 * (firing.ended_us - firing.began_us)) << "the clocks are too far apart";
}

TEST(ChainOnKvm, GoesBackToTheAttemptBefore) {
  const Told told =
      run("timeout_ms = 300\nattempts = 2", "[[fault]]\ncpu = 2\nat = 'started'\naction = 'stall'\n");
  EXPECT_EQ(told.chain.end, ChainEnd::kActive);
  const ChainLink wait = first_of(told.chain, LinkKind::kTimeout, 2);
  EXPECT_EQ(link_text(wait, told.seen.steps), "did not reach started in its time, held by fault 0");
  EXPECT_GE(wait.us(), 300'000);
}

} // namespace
} // namespace reveille::vmm::test
