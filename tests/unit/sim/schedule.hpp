// What the control side had under way at once, as the events tell, and what each strategy promises of that
// (docs/protocol.md). On both backends.
#pragma once

#include "vmm/judge/observation.hpp"
#include "vmm/scenario/load.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm::test {

/// Which APs are at what, event by event, and the most that there were.
class Schedule {
public:
  explicit Schedule(const Scenario &scenario, const Observation &seen)
      : window_(scenario.bringup.window != 0 ? scenario.bringup.window
                                             : std::numeric_limits<std::size_t>::max()) {
    struct Written {
      CpuIndex writer;
      abi::Event event;
    };
    std::vector<Written> all;
    for (CpuIndex cpu = 0; cpu < seen.cpus.size(); ++cpu)
      for (const abi::Event &event : seen.cpus[cpu].events)
        all.push_back({cpu, event});
    std::stable_sort(all.begin(), all.end(),
                     [](const Written &a, const Written &b) { return a.event.tsc < b.event.tsc; });
    for (const Written &each : all)
      take(each.writer, each.event);
  }

  [[nodiscard]] std::size_t in_flight() const { return most_in_flight_; } ///< kicked, and not decided
  [[nodiscard]] std::size_t finishing() const {
    return most_finishing_;
  } ///< let go on from alive, and not decided
  [[nodiscard]] std::size_t kicked() const { return kicked_.size(); }              ///< APs, once or more
  [[nodiscard]] std::size_t kicked_by_others() const { return kicked_by_others_; } ///< than CPU 0
  [[nodiscard]] std::size_t kicks_when_one_is_up() const { return kicks_when_one_is_up_; } ///< first ones
  /// First kicks that came when another AP had been let go on from alive already, though the window had room.
  [[nodiscard]] std::size_t late_kicks() const { return late_kicks_; }

private:
  void take(CpuIndex writer, const abi::Event &event) {
    using abi::EventKind;
    switch (event.kind) {
    case EventKind::kCycle:
      has_let_go_ = somebody_is_up_ = false;
      return;
    case EventKind::kKick:
      kicked_by_others_ += writer != 0 ? 1 : 0;
      late_kicks_ += has_let_go_ && event.a == 1 ? 1 : 0;
      kicks_when_one_is_up_ += somebody_is_up_ && event.a == 1 ? 1 : 0;
      kicked_.insert(event.cpu);
      finishing_.erase(event.cpu);
      begin(in_flight_, event.cpu, most_in_flight_);
      return;
    case EventKind::kTakeDown:
      begin(in_flight_, event.cpu, most_in_flight_);
      return;
    case EventKind::kMoved:
      if (writer == event.cpu || abi::Word::from(event.a).state != abi::State::kAlive ||
          abi::Word::from(event.b).state != abi::State::kStarting)
        return;
      has_let_go_ = has_let_go_ || in_flight_.size() < window_;
      begin(finishing_, event.cpu, most_finishing_);
      return;
    case EventKind::kTimeout:
    case EventKind::kCorrupt:
      finishing_.erase(event.cpu);
      return;
    case EventKind::kOnline:
      somebody_is_up_ = true;
      [[fallthrough]];
    case EventKind::kFailed:
    case EventKind::kOffline:
      finishing_.erase(event.cpu);
      in_flight_.erase(event.cpu);
      return;
    default:
      return;
    }
  }

  static void begin(std::set<std::uint32_t> &at, std::uint32_t cpu, std::size_t &most) {
    at.insert(cpu);
    most = std::max(most, at.size());
  }

  std::size_t window_;
  std::set<std::uint32_t> in_flight_, finishing_, kicked_;
  std::size_t most_in_flight_ = 0, most_finishing_ = 0, kicked_by_others_ = 0, late_kicks_ = 0;
  std::size_t kicks_when_one_is_up_ = 0;
  bool has_let_go_ = false, somebody_is_up_ = false;
};

/// What holds however fast anybody is.
inline void expect_as_promised(const Scenario &scenario, const Schedule &was) {
  if (scenario.bringup.window != 0) {
    EXPECT_LE(was.in_flight(), scenario.bringup.window);
  }
  switch (scenario.bringup.strategy) {
  case abi::Strategy::kSerial:
    EXPECT_EQ(was.in_flight(), 1U);
    return;
  case abi::Strategy::kSplit:
    EXPECT_GT(was.in_flight(), 1U);
    EXPECT_EQ(was.finishing(), 1U);
    EXPECT_EQ(was.late_kicks(), 0U);
    return;
  case abi::Strategy::kTree:
    if (was.kicks_when_one_is_up() > 0) {
      EXPECT_GT(was.kicked_by_others(), 0U);
    }
    return;
  case abi::Strategy::kParallel:
    return;
  }
}

/// Eight CPUs. Under parallel each AP takes long from its release from alive to started, on any host, so that
/// those that may be on that way at once are.
inline Scenario eight_cpus(std::string_view strategy, unsigned window, std::string_view wait = "halt") {
  std::string text = fmt::format(
      "[machine]\nvcpus = 8\n[bringup]\nstrategy = '{}'\nwindow = {}\nwait = '{}'\n", strategy, window, wait);
  if (strategy == "parallel")
    text += "[[fault]]\ncpu = 'all'\nat = 'started'\naction = 'delay'\nduration_ms = 300\n";
  auto scenario = parse_scenario(text, "made");
  if (!scenario)
    throw std::invalid_argument(scenario.error().message);
  return *scenario;
}

/// What is under way at once in a run of those.
inline void expect_as_allowed(const Scenario &scenario, const Schedule &was) {
  expect_as_promised(scenario, was);
  const std::size_t aps = scenario.bringup.max_cpus - 1;
  EXPECT_EQ(was.kicked(), aps);
  if (scenario.bringup.strategy == abi::Strategy::kSplit) {
    EXPECT_EQ(was.in_flight(), scenario.bringup.window == 0 ? aps : scenario.bringup.window);
  }
  if (scenario.bringup.strategy == abi::Strategy::kParallel) {
    EXPECT_GT(was.finishing(), 1U);
  }
}

/// The scenarios that name a strategy or a window, but for those of hundreds of CPUs.
inline std::vector<std::string> scheduled_scenarios() {
  std::vector<std::string> found;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(REVEILLE_CONFIGS)) {
    if (entry.path().extension() != ".toml")
      continue;
    const auto scenario = load_scenario(entry.path().string(), {});
    if (scenario && scenario->machine.vcpus <= 64 &&
        (scenario->bringup.strategy != abi::Strategy::kParallel || scenario->bringup.window != 0))
      found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// A scenario's name as a test's.
inline std::string name_of(const std::string &file) {
  std::string name = std::filesystem::path(file).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

} // namespace reveille::vmm::test
