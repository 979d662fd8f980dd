#include "tests/explore/plans.hpp"

#include "tests/explore/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace reveille::explore {

using vmm::CpuIndex;
using vmm::FaultSpec;
using vmm::PlaceKind;
using vmm::Scenario;

namespace {

constexpr unsigned kStrategies = 4;

/// How much later each next one comes, microseconds. At the fault's own place it outweighs all
/// that has gathered before.
constexpr double kApart = 40;
constexpr double kFarApart = 1000;

/// Whether an order of arrival at its own place means anything.
bool has_own_order(const FaultSpec &fault) { return std::holds_alternative<vmm::GuestPlace>(fault.at.where); }

bool is_timed(const FaultSpec &fault) { return std::holds_alternative<vmm::TimePlace>(fault.at.where); }

/// Whether it strikes on the way down, or reaches into it.
bool leads_down(const FaultSpec &fault) {
  return fault.at.text == "dying" || fault.at.text == "dead" || fault.at.text == "active.released";
}

} // namespace

Plans::Plans(CpuIndex aps, unsigned faults, Moments moments) : aps_(aps), moments_(moments) {
  list_variants();
  list_catalogue();
  measure_healthy();
  if (faults == 1)
    list_single();
  else
    list_pairs();
}

void Plans::list_variants() {
  Order order(aps_);
  std::iota(order.begin(), order.end(), 0U);
  do
    orders_.push_back(order);
  while (std::next_permutation(order.begin(), order.end()));
  for (unsigned strategy = 0; strategy < kStrategies; ++strategy)
    for (const abi::Stop stop : {abi::Stop::kInit, abi::Stop::kNone})
      for (std::size_t own = 0; own < orders_.size(); ++own)
        for (std::size_t rest = 0; rest < orders_.size(); ++rest)
          variants_.push_back({static_cast<abi::Strategy>(strategy), stop, own, rest});
}

/// Times stand in it as fractions: see Moments.
void Plans::list_catalogue() {
  std::vector<double> fractions;
  for (unsigned i = 0; i < moments_.count; ++i)
    fractions.push_back(static_cast<double>(i) / moments_.count);
  for (const KnownPlace &place : known_places(fractions))
    for (CpuIndex cpu = 0; cpu <= aps_; ++cpu)
      for (FaultSpec &fault : faults_at(place, cpu))
        catalogue_.push_back(std::move(fault));
}

/// In the only attempt, in the first of two, in both; and likewise in cycles. A time comes once.
void Plans::list_single() {
  for (std::uint16_t i = 0; i < catalogue_.size(); ++i)
    for (const int cycles : {1, 2})
      for (int cycle = 1; cycle <= cycles; ++cycle)
        for (const auto &[attempts, attempt] : {std::pair{1, 1}, {2, 1}, {2, 0}}) {
          if (is_timed(catalogue_[i]) && (cycle > 1 || attempt == 0))
            continue;
          Shape shape;
          shape.faults = {i, 0};
          shape.attempts = {static_cast<std::uint8_t>(attempt), 0};
          shape.cycles = {static_cast<std::uint8_t>(cycle), 0};
          shape.of_attempts = static_cast<std::uint8_t>(attempts);
          shape.of_cycles = static_cast<std::uint8_t>(cycles);
          shapes_.push_back(shape);
        }
}

/// In both orders of the file only where that could matter: at one place of one CPU. Times only
/// at three moments, and at all of them where the CPU has failed in a step: there is no other
/// way to strike it in the middle of its rollback.
void Plans::list_pairs() {
  const auto at_any_moment = [this](const FaultSpec &fault) {
    const double fraction = std::get<vmm::TimePlace>(fault.at.where).ms;
    return std::llround(fraction * moments_.count) % (moments_.count / 3) != 0;
  };
  for (std::uint16_t first = 0; first < catalogue_.size(); ++first)
    for (std::uint16_t second = 0; second < catalogue_.size(); ++second) {
      const FaultSpec &a = catalogue_[first];
      const FaultSpec &b = catalogue_[second];
      if ((is_timed(a) && at_any_moment(a)) ||
          (is_timed(b) && at_any_moment(b) && (a.action != vmm::Action::kFail || a.cpus != b.cpus)))
        continue;
      if (first <= second || (a.cpus == b.cpus && vmm::same_place(a.at, b.at)))
        add_pair(first, second);
    }
}

void Plans::add_pair(std::uint16_t first, std::uint16_t second) {
  const FaultSpec &a = catalogue_[first];
  const FaultSpec &b = catalogue_[second];
  const bool timed = is_timed(a) || is_timed(b);
  const auto add = [&](int of_attempts, int second_attempt, int of_cycles, int second_cycle) {
    Shape shape;
    shape.faults = {first, second};
    shape.attempts = {1, static_cast<std::uint8_t>(second_attempt)};
    shape.cycles = {1, static_cast<std::uint8_t>(second_cycle)};
    shape.count = 2;
    shape.of_attempts = static_cast<std::uint8_t>(of_attempts);
    shape.of_cycles = static_cast<std::uint8_t>(of_cycles);
    shapes_.push_back(shape);
  };
  const bool reaches_down = leads_down(a) || leads_down(b);
  for (const int cycles : {1, 2}) {
    if (cycles == 2 && (timed || !reaches_down))
      continue;
    for (int cycle = 1; cycle <= cycles; ++cycle) {
      add(1, 1, cycles, cycle);
      add(2, 1, cycles, cycle);
      if (a.cpus == b.cpus && !timed && cycle == 1)
        add(2, 2, cycles, cycle);
    }
  }
}

std::optional<Scenario> Plans::of_shape(std::size_t index) const {
  const Shape &shape = shapes_[index];
  Scenario scenario = healthy({});
  scenario.bringup.attempts = shape.of_attempts;
  scenario.bringup.cycles = shape.of_cycles;
  for (std::size_t i = 0; i < shape.count; ++i) {
    FaultSpec fault = catalogue_[shape.faults[i]];
    fault.attempt = shape.attempts[i];
    fault.cycle = shape.cycles[i];
    fault.count = fault.attempt == 0 ? shape.of_attempts : 1;
    scenario.faults.push_back(std::move(fault));
  }
  if (!is_valid(scenario))
    return std::nullopt;
  return scenario;
}

std::optional<Scenario> Plans::plan(const Scenario &of_shape, std::size_t index) const {
  const Variant &variant = variants_[index];
  Scenario scenario = of_shape;
  scenario.bringup.strategy = variant.strategy;
  scenario.bringup.stop = variant.stop;
  if (std::ranges::none_of(scenario.faults, has_own_order) && variant.own != variant.rest)
    return std::nullopt;
  order(scenario, variant);
  if (!place_in_time(scenario, variant))
    return std::nullopt;
  return scenario;
}

/// A machine in which nothing takes long but what the order asks for.
Scenario Plans::healthy(const Variant &variant) const {
  Scenario scenario;
  scenario.file = scenario.title = "a plan of the explorer";
  scenario.backend = vmm::Backend::kSim;
  scenario.machine.vcpus = scenario.bringup.max_cpus = aps_ + 1;
  scenario.machine.memory_mib = 64;
  scenario.bringup.timeout_ms = kTimeoutMs;
  scenario.bringup.strategy = variant.strategy;
  for (CpuIndex cpu = 0; cpu <= aps_; ++cpu)
    scenario.expect.online.push_back(cpu);
  scenario.sim = {.prepare_us = 2,
                  .kick_us = 2,
                  .wake_us = 10,
                  .boot_us = 0,
                  .step_us = 1,
                  .ipi_us = 1,
                  .serve_us = 1,
                  .jitter = 0,
                  .latencies = {}};
  return scenario;
}

namespace {

/// What has a latency of its own there: the step, for the place behind it.
std::string latency_at(const FaultSpec &fault) {
  const std::string_view done = ".done";
  const std::string &at = fault.at.text;
  return at.ends_with(done) ? at.substr(0, at.size() - done.size()) : at;
}

void add_latency(Scenario &scenario, const std::string &at, CpuIndex cpu, double us) {
  const auto place = vmm::parse_place(at);
  scenario.sim.latencies.push_back(
      {{cpu}, at, std::get<vmm::GuestPlace>(place.value().place.where).place, us});
}

} // namespace

/// One order of arrival at the places of the faults, another at all other points.
void Plans::order(Scenario &scenario, const Variant &variant) const {
  std::set<std::string> own;
  for (const FaultSpec &fault : scenario.faults)
    if (has_own_order(fault))
      own.insert(latency_at(fault));
  std::set<std::string> rest = {"dying", "dead"};
  for (const protocol::PointRow &point : protocol::kPoints)
    rest.insert(std::string(point.name));
  for (CpuIndex ap = 0; ap < aps_; ++ap) {
    for (const std::string &at : own)
      add_latency(scenario, at, ap + 1, kFarApart * (1 + orders_[variant.own][ap]));
    for (const std::string &at : rest)
      if (!own.contains(at))
        add_latency(scenario, at, ap + 1, kApart * (1 + orders_[variant.rest][ap]));
  }
}

namespace {

/// When something happens to a CPU: between each two moments, before the first and behind the last,
/// milliseconds from time zero.
std::vector<double> moments_in(const vmm::Observation &seen, CpuIndex cpu) {
  std::set<std::uint64_t> at = {seen.zero_tsc};
  for (CpuIndex writer = 0; writer < seen.cpus.size(); ++writer)
    for (const abi::Event &event : seen.cpus[writer].events)
      if (event.cpu == cpu || writer == cpu)
        at.insert(event.tsc);
  std::vector<double> between = {0};
  for (auto it = at.begin(); std::next(it) != at.end(); ++it)
    between.push_back(seen.us(*it + (*std::next(it) - *it) / 2) / 1000);
  between.push_back(seen.us(*at.rbegin()) / 1000 + 1);
  return between;
}

} // namespace

void Plans::measure_healthy() {
  for (const unsigned cycles : {1u, 2u})
    for (unsigned strategy = 0; strategy < kStrategies; ++strategy)
      for (std::size_t rest = 0; rest < orders_.size(); ++rest) {
        const Variant variant{static_cast<abi::Strategy>(strategy), {}, rest, rest};
        Scenario scenario = healthy(variant);
        scenario.bringup.cycles = cycles;
        order(scenario, variant);
        const Ran ran = run(scenario);
        for (CpuIndex cpu = 0; cpu <= aps_; ++cpu)
          healthy_.push_back(moments_in(ran.seen, cpu));
      }
}

/// In a run of the scenario that is given, which has no strikes by time.
std::vector<double> Plans::moments_of(const Scenario &without, const Variant &variant, CpuIndex cpu) const {
  if (!without.faults.empty())
    return moments_in(run(without).seen, cpu);
  const std::size_t strategy =
      (without.bringup.cycles - 1) * kStrategies + static_cast<std::size_t>(variant.strategy);
  return healthy_[(strategy * orders_.size() + variant.rest) * (aps_ + 1) + cpu];
}

/// From fractions to times. False: the fraction before leads to the same moment.
bool Plans::place_in_time(Scenario &scenario, const Variant &variant) const {
  if (std::ranges::none_of(scenario.faults, is_timed))
    return true;
  Scenario without = scenario;
  std::erase_if(without.faults, is_timed);
  return std::ranges::all_of(scenario.faults, [&](FaultSpec &fault) {
    return !is_timed(fault) || place_in_time(fault, moments_of(without, variant, fault.cpus.front()));
  });
}

bool Plans::place_in_time(FaultSpec &fault, const std::vector<double> &moments) const {
  const auto step = std::llround(std::get<vmm::TimePlace>(fault.at.where).ms * moments_.count);
  const auto index = [&](long long nth) {
    return static_cast<std::size_t>(nth) * moments.size() / moments_.count;
  };
  if (step % (moments_.count / 3) != 0 && index(step) == index(step - 1))
    return false;
  fault.at = vmm::parse_place(fmt::format("time:{}", moments[index(step)])).value().place;
  return true;
}

} // namespace reveille::explore
