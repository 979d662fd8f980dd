// The explorer: runs every plan of one fault for three APs, and of two faults for two APs, on the
// simulated machine, and holds each run against the invariants and an oracle of its own.
//
//   explore [--every K] [--jobs N] [--out FOLDER]
//     --every K     runs every K-th plan only (default 1)
//     --jobs N      threads (default: as many as there are CPUs)
//     --out FOLDER  where the plans that fail are written (default: explore-failures)
// Exit status: 0 nothing was wrong, 1 something was, 2 usage.
#include "tests/explore/options.hpp"
#include "tests/explore/oracle.hpp"
#include "tests/explore/plans.hpp"
#include "tests/explore/tally.hpp"
#include "vmm/scenario/places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>
#include <thread>

namespace {

using namespace reveille;
using namespace reveille::explore;

struct Options {
  std::size_t every = 1;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  std::string out = "explore-failures";
};

/// Whether somebody may have been kept from meeting an AP for the TSC.
bool may_miss_the_tsc(const vmm::Scenario &scenario) {
  return scenario.bringup.strategy == abi::Strategy::kTree ||
         std::ranges::any_of(scenario.faults, [](const vmm::FaultSpec &fault) {
           return vmm::is_on_control_cpu(fault.at) || fault.cpus.front() == 0;
         });
}

std::vector<std::string> wrong_with(const vmm::Scenario &scenario, const Ran &ran) {
  std::vector<std::string> wrong = complaints(scenario, ran);
  for (const vmm::CpuVerdict &cpu : ran.verdict.cpus)
    if (cpu.cpu != 0 && !is_struck(scenario, cpu.cpu) && !cpu.skew_ticks && !may_miss_the_tsc(scenario))
      wrong.push_back(fmt::format("nothing was done to CPU {}, and its skew is unknown", cpu.cpu));
  for (vmm::CpuIndex cpu = 1; cpu < scenario.bringup.max_cpus; ++cpu) {
    const vmm::CpuVerdict &verdict = ran.verdict.cpus[cpu];
    const Prediction prediction = predict(scenario, ran.seen, cpu);
    if (!prediction.admits(verdict))
      wrong.push_back(fmt::format("CPU {}: {} after {} attempts, {} of them in quarantine; it should be {}",
                                  cpu, outcome(verdict), verdict.attempts, verdict.quarantined,
                                  prediction.text()));
  }
  return wrong;
}

/// Says in the scenario what should have come of it, as far as that is one thing.
void expect(vmm::Scenario &scenario, const Ran &ran) {
  scenario.expect = {};
  for (vmm::CpuIndex cpu = 0; cpu < scenario.bringup.max_cpus; ++cpu) {
    const Prediction prediction =
        cpu == 0 ? Prediction{{{"online", 0, 0}}} : predict(scenario, ran.seen, cpu);
    const std::string end =
        prediction.fates.empty() ? outcome(ran.verdict.cpus[cpu]) : prediction.fates[0].outcome;
    if (end == "online")
      scenario.expect.online.push_back(cpu);
    else
      scenario.expect.failed[cpu] = end;
  }
}

class Explorer {
public:
  Explorer(const Plans &plans, const Options &options) : plans_(plans), options_(options) {}

  Tally explore() {
    std::vector<Tally> tallies(options_.jobs);
    {
      std::vector<std::jthread> threads;
      for (Tally &tally : tallies)
        threads.emplace_back([this, &tally] { work(tally); });
    }
    Tally all;
    for (const Tally &tally : tallies)
      all.add(tally);
    return all;
  }

private:
  void work(Tally &tally) {
    for (std::size_t shape = next_++; shape < plans_.shapes(); shape = next_++)
      explore(shape, tally);
  }

  void explore(std::size_t shape, Tally &tally) {
    std::optional<vmm::Scenario> of_shape;
    for (std::size_t variant = 0; variant < plans_.variants(); ++variant) {
      const std::size_t number = shape * plans_.variants() + variant;
      if (number % options_.every != 0)
        continue;
      if (!of_shape && !(of_shape = plans_.of_shape(shape)))
        return;
      auto scenario = plans_.plan(*of_shape, variant);
      if (!scenario)
        continue;
      const Ran ran = run(*scenario);
      const std::vector<std::string> wrong = wrong_with(*scenario, ran);
      if (!wrong.empty())
        expect(*scenario, ran);
      tally.add(number, *scenario, ran, wrong);
    }
  }

  const Plans &plans_;
  const Options &options_;
  std::atomic<std::size_t> next_ = 0;
};

std::optional<Options> read_options(int argc, char **argv) {
  Options options;
  const bool right = explore::read_options(argc, argv, [&](std::string_view name, std::string_view value) {
    if (name == "--out")
      options.out = value;
    return name == "--out" || (name == "--every" && read_number(value, options.every)) ||
           (name == "--jobs" && read_number(value, options.jobs));
  });
  return right ? std::optional(options) : std::nullopt;
}

/// Explores one kind of plans, and reports. True: nothing was wrong.
bool explore_all(const Plans &plans, const Options &options, const std::string &name,
                 const std::string &what) {
  const auto began = std::chrono::steady_clock::now();
  const Tally tally = Explorer(plans, options).explore();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print("{}: {} runs in {:.1f} s, {} failed\n", what, tally.runs(), took.count(), tally.failed());
  fmt::print("{}\n{}\n", tally.summary(), tally.table());
  if (tally.failed() != 0)
    fmt::print("{}\n", tally.write_failures(options.out, name));
  std::fflush(stdout);
  return tally.failed() == 0;
}

} // namespace

int main(int argc, char **argv) {
  const auto options = read_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "usage: explore [--every K] [--jobs N] [--out FOLDER]\n");
    return 2;
  }
  const bool one = explore_all(Plans(3, 1, {300}), *options, "one-fault", "one fault, 3 APs");
  const bool two = explore_all(Plans(2, 2, {120}), *options, "two-faults", "two faults, 2 APs");
  return one && two ? 0 : 1;
}
