// Whether different CPUs do their steps at the same time, from the event log of a real run.
#include "tests/kvm/bare_guest.hpp"
#include "vmm/judge/verdict.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/scenario/load.hpp"

#include <fmt/format.h>

namespace reveille::vmm::test {
namespace {

using abi::EventKind;
using protocol::Section;

struct Span {
  CpuIndex cpu;
  std::uint64_t from;
  std::uint64_t to;
};

/// When each AP was in a section's steps, by its own events.
std::vector<Span> spans(const Observation &seen, Section section) {
  std::vector<Span> all;
  for (CpuIndex cpu = 1; cpu < seen.cpus.size(); ++cpu) {
    Span span{cpu, 0, 0};
    for (const abi::Event &event : seen.cpus[cpu].events) {
      if (event.cpu != cpu || (event.b & 0xff) != static_cast<std::uint64_t>(section))
        continue;
      if (event.kind == EventKind::kStepEnter && span.from == 0)
        span.from = event.tsc;
      if (event.kind == EventKind::kStepDone)
        span.to = event.tsc;
    }
    if (span.to != 0)
      all.push_back(span);
  }
  return all;
}

/// How many pairs of APs were in a section at the same time.
unsigned overlaps(const Observation &seen, Section section) {
  const std::vector<Span> all = spans(seen, section);
  EXPECT_EQ(all.size(), seen.cpus.size() - 1);
  unsigned count = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      count += all[i].from < all[j].to && all[j].from < all[i].to ? 1 : 0;
  return count;
}

/// Each AP is held for a while in a step of each section, so that they overlap if they can.
Observation run(std::string_view strategy) {
  const Scenario scenario = must(parse_scenario(
      fmt::format("[machine]\nvcpus = 5\n[bringup]\nstrategy = '{}'\n"
                  "[[fault]]\ncpu = 'all'\nat = 'step:timer'\naction = 'delay'\nduration_ms = 60\n"
                  "[[fault]]\ncpu = 'all'\nat = 'step:worker'\naction = 'delay'\nduration_ms = 60\n",
                  strategy),
      "made"));
  Machine machine = must(Machine::build(scenario, std::string(REVEILLE_GUEST)));
  Lab lab(scenario, machine);
  Observation seen = must(lab.run({}));
  EXPECT_EQ(judge(scenario, seen).kind, VerdictKind::kPass);
  return seen;
}

constexpr unsigned kPairs = 4 * 3 / 2;

TEST(Overlap, InParallelAllAreInASectionAtOnce) {
  REVEILLE_NEEDS_KVM();
  const Observation seen = run("parallel");
  EXPECT_EQ(overlaps(seen, Section::kStarting), kPairs);
  EXPECT_EQ(overlaps(seen, Section::kOnline), kPairs);
}

TEST(Overlap, InATreeThoseOfDifferentControlCpusAre) {
  REVEILLE_NEEDS_KVM();
  const Observation seen = run("tree");
  EXPECT_GE(overlaps(seen, Section::kStarting), 1U);
  EXPECT_GE(overlaps(seen, Section::kOnline), 1U);
}

TEST(Overlap, OneByOneNobodyIs) {
  REVEILLE_NEEDS_KVM();
  for (const char *strategy : {"serial", "split"}) {
    const Observation seen = run(strategy);
    EXPECT_EQ(overlaps(seen, Section::kStarting), 0U) << strategy;
    EXPECT_EQ(overlaps(seen, Section::kOnline), 0U) << strategy;
  }
}

} // namespace
} // namespace reveille::vmm::test
