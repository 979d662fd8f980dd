// What must hold of every plan: random ones, on the simulated machine. A plan that fails is made
// as small as it can be and still fail, and written as a scenario file.
//
//   properties [--cases N] [--seed S] [--out FOLDER]
//     --cases N     how many plans of each property (default 1000)
//     --seed S      of the plans (default 1)
//     --out FOLDER  where a plan that fails is written (default: explore-failures)
// RapidCheck's own RC_PARAMS in the environment goes before. Exit status: 0 all hold, 1 not, 2 usage.
#include "tests/explore/options.hpp"
#include "tests/explore/random_plan.hpp"
#include "tests/explore/tally.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>

namespace {

using namespace reveille;
using namespace reveille::explore;

struct Options {
  unsigned cases = 1000;
  unsigned seed = 1;
  std::string out = "explore-failures";
};

struct Property {
  std::string name; ///< of the file, too
  std::string what;
  std::function<std::vector<std::string>(const vmm::Scenario &, Tally &)> wrong;
};

std::vector<std::string> wrong_with_one(const vmm::Scenario &scenario, Tally &tally) {
  const Ran ran = run(scenario);
  std::vector<std::string> wrong = complaints(scenario, ran);
  tally.add(tally.runs(), scenario, ran, {});
  return wrong;
}

std::vector<std::string> differs(const vmm::Scenario &scenario, Tally &tally) {
  const Ran first = run(scenario);
  const Ran second = run(scenario);
  tally.add(tally.runs(), scenario, first, {});
  tally.add(tally.runs(), scenario, second, {});
  if (same(first.seen, second.seen))
    return {};
  return {"two runs of it differ"};
}

const std::vector<Property> kProperties = {
    {"random-plan",
     "every run ends within its bound, with all invariants held, all CPUs and areas accounted for, "
     "and those up to which nothing was done",
     wrong_with_one},
    {"repeated-plan", "one seed, one result", differs},
};

/// A plan that fails: the last one that did is the smallest that has been found.
struct Smallest {
  vmm::Scenario scenario;
  std::vector<std::string> wrong;
};

bool check(const Property &property, const Options &options) {
  Tally tally;
  std::optional<Smallest> smallest;
  const bool held = rc::check(property.what, [&] {
    const RandomPlan plan = *random_plans().as("a plan");
    const vmm::Scenario scenario = scenario_of(plan);
    const std::vector<std::string> wrong = property.wrong(scenario, tally);
    if (wrong.empty())
      return;
    smallest = Smallest{scenario, wrong};
    RC_FAIL(wrong.front());
  });
  fmt::print("{}: {} runs\n{}\n{}\n", property.what, tally.runs(), tally.summary(), tally.table());
  if (!held && smallest) {
    std::filesystem::create_directories(options.out);
    const std::string path = fmt::format("{}/{}.toml", options.out, property.name);
    write_file(path, to_file(smallest->scenario, smallest->wrong));
    fmt::print("the smallest plan that fails is {}\n", path);
  }
  std::fflush(stdout);
  return held;
}

std::optional<Options> read_options(int argc, char **argv) {
  Options options;
  const bool right = explore::read_options(argc, argv, [&](std::string_view name, std::string_view value) {
    if (name == "--out")
      options.out = value;
    return name == "--out" || (name == "--cases" && read_number(value, options.cases)) ||
           (name == "--seed" && read_number(value, options.seed));
  });
  return right ? std::optional(options) : std::nullopt;
}

} // namespace

int main(int argc, char **argv) {
  const auto options = read_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "usage: properties [--cases N] [--seed S] [--out FOLDER]\n");
    return 2;
  }
  const std::string params = fmt::format("seed={} max_success={}", options->seed, options->cases);
  setenv("RC_PARAMS", params.c_str(), 0);
  bool all = true;
  for (const Property &property : kProperties)
    all = check(property, *options) && all;
  return all ? 0 : 1;
}
