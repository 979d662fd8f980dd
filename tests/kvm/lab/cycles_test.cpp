// Down and up a hundred times: nothing is left behind that was not there after the first time.
#include "tests/kvm/bare_guest.hpp"
#include "vmm/judge/verdict.hpp"
#include "vmm/lab/lab.hpp"
#include "vmm/scenario/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sys/mman.h>

namespace reveille::vmm::test {
namespace {

using abi::EventKind;

constexpr CpuIndex kCpus = 8;

/// What a run has left.
struct Left {
  std::set<std::uint64_t> areas; ///< that were ever given to an attempt
  std::size_t pages = 0;         ///< of guest memory that were touched, but for what is shared with the host
  std::vector<std::vector<std::uint32_t>> attempts; ///< by CPU, in their order
};

std::size_t touched_pages(Machine &machine) {
  const ControlLayout &layout = machine.control().layout();
  constexpr std::uint64_t kFirst = 1 << 20;
  const std::uint64_t size = layout.range.begin - kFirst;
  const char *bytes = machine.memory().at<char>(kFirst, size);
  std::vector<unsigned char> resident((size + 4095) / 4096);
  EXPECT_EQ(mincore(const_cast<char *>(bytes), size, resident.data()), 0);
  return static_cast<std::size_t>(
      std::count_if(resident.begin(), resident.end(), [](unsigned char page) { return (page & 1) != 0; }));
}

Left run(unsigned cycles, std::string_view strategy) {
  const Scenario scenario =
      must(parse_scenario(fmt::format("[machine]\nvcpus = {}\n[bringup]\ncycles = {}\nstrategy = '{}'\n",
                                      kCpus, cycles, strategy),
                          "made"));
  Machine machine = must(Machine::build(scenario, std::string(REVEILLE_GUEST)));
  Lab lab(scenario, machine);
  const Observation seen = must(lab.run({}));
  const Verdict verdict = judge(scenario, seen);
  EXPECT_EQ(verdict.kind, VerdictKind::kPass)
      << (verdict.differences.empty() ? "an invariant is broken" : verdict.differences.front());
  Left left;
  left.attempts.resize(kCpus);
  for (CpuIndex cpu = 0; cpu < kCpus; ++cpu) {
    EXPECT_EQ(seen.cpus[cpu].lost_events, 0U) << "CPU " << cpu;
    for (const abi::Event &event : seen.cpus[cpu].events)
      if (event.kind == EventKind::kKick) {
        left.areas.insert(event.b);
        left.attempts.at(event.cpu).push_back(event.attempt);
      }
    if (cpu != 0) {
      EXPECT_EQ(abi::Word::from(seen.cpus[cpu].word).state, abi::State::kActive) << "CPU " << cpu;
    }
    EXPECT_EQ(verdict.cpus[cpu].quarantined, 0U) << "CPU " << cpu;
  }
  left.pages = touched_pages(machine);
  return left;
}

class Cycles : public testing::TestWithParam<const char *> {};

TEST_P(Cycles, AHundredLeaveWhatOneLeaves) {
  REVEILLE_NEEDS_KVM();
  constexpr unsigned kCycles = 100;
  const Left once = run(1, GetParam());
  const Left often = run(kCycles, GetParam());
  EXPECT_EQ(often.areas, once.areas) << "per-CPU areas that were in use";
  constexpr std::size_t kDeeperStacks = 16; // an interrupt may come where the stack is deep
  EXPECT_LE(often.pages, once.pages + kDeeperStacks) << "pages of guest memory";
  for (CpuIndex cpu = 1; cpu < kCpus; ++cpu) {
    const auto &attempts = often.attempts[cpu];
    EXPECT_EQ(attempts.size(), kCycles) << "CPU " << cpu;
    EXPECT_EQ(std::set(attempts.begin(), attempts.end()).size(), attempts.size())
        << "CPU " << cpu << " has used an attempt number twice";
  }
}

INSTANTIATE_TEST_SUITE_P(Strategies, Cycles, testing::Values("serial", "split", "parallel", "tree"),
                         [](const auto &param) { return std::string(param.param); });

} // namespace
} // namespace reveille::vmm::test
