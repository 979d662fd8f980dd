#include "tests/explore/random_plan.hpp"

#include "tests/explore/catalogue.hpp"
#include "vmm/scenario/cpulist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace reveille::explore {

using vmm::CpuIndex;
using vmm::FaultSpec;
using vmm::Scenario;
using vmm::SimSpec;

namespace {

/// Anywhere from before the first kick to behind the last active of most runs, microseconds.
constexpr unsigned kLatest = 40'000;

/// The figures of [sim], and the most that each may be: together far below a turn.
struct Figure {
  double SimSpec::*value;
  unsigned most_us;
};
constexpr std::array kFigures = {
    Figure{&SimSpec::prepare_us, 500}, Figure{&SimSpec::kick_us, 50},  Figure{&SimSpec::wake_us, 1000},
    Figure{&SimSpec::boot_us, 1000},   Figure{&SimSpec::step_us, 200}, Figure{&SimSpec::ipi_us, 20},
    Figure{&SimSpec::serve_us, 20},
};
constexpr unsigned kMostLatencyUs = 3000;

/// Any number below `end`, in small plans too.
rc::Gen<unsigned> below(unsigned end) { return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0U, end)); }

rc::Gen<RandomFault> random_faults() {
  using rc::gen::set;
  return rc::gen::build<RandomFault>(
      set(&RandomFault::place, below(1000U)), set(&RandomFault::what, below(1000U)),
      set(&RandomFault::cpu, below(kMostCpus)),
      set(&RandomFault::all, rc::gen::map(below(10), [](unsigned n) { return n == 9; })),
      set(&RandomFault::us, below(kLatest)),
      set(&RandomFault::percent, rc::gen::map(below(100), [](unsigned n) { return n + 1; })),
      set(&RandomFault::attempt, below(6U)), set(&RandomFault::cycle, below(6U)));
}

rc::Gen<RandomLatency> random_latencies() {
  using rc::gen::set;
  return rc::gen::build<RandomLatency>(set(&RandomLatency::place, below(1000U)),
                                       set(&RandomLatency::cpu, below(kMostCpus)),
                                       set(&RandomLatency::us, below(kMostLatencyUs)));
}

template <class T> rc::Gen<std::vector<T>> up_to(unsigned most, rc::Gen<T> gen) {
  return rc::gen::mapcat(rc::gen::inRange(0U, most + 1),
                         [gen](unsigned count) { return rc::gen::container<std::vector<T>>(count, gen); });
}

} // namespace

rc::Gen<RandomPlan> random_plans() {
  using rc::gen::inRange;
  using rc::gen::set;
  return rc::gen::build<RandomPlan>(
      set(&RandomPlan::cpus, inRange(2U, kMostCpus + 1)), set(&RandomPlan::spare, inRange(0U, 3U)),
      set(&RandomPlan::threads, inRange(0U, 4U)), set(&RandomPlan::primaries_first),
      set(&RandomPlan::strategy, rc::gen::element(0U, 1U, 2U, 3U)),
      set(&RandomPlan::timeout_ms, rc::gen::element(100U, 500U, 5000U)),
      set(&RandomPlan::window, inRange(0U, 9U)), set(&RandomPlan::attempts, inRange(1U, 4U)),
      set(&RandomPlan::cycles, inRange(1U, 4U)), set(&RandomPlan::stops), set(&RandomPlan::halts),
      set(&RandomPlan::us, rc::gen::container<std::vector<unsigned>>(kFigures.size(), inRange(0U, 1000U))),
      set(&RandomPlan::jitter_percent, inRange(0U, 101U)),
      set(&RandomPlan::latencies, up_to(6, random_latencies())),
      set(&RandomPlan::faults, up_to(kMostFaults, random_faults())));
}

void showValue(const RandomPlan &plan, std::ostream &out) {
  out << fmt::format("{} CPUs, {} faults before the scenario's check", plan.cpus, plan.faults.size());
}

namespace {

Scenario machine_of(const RandomPlan &plan) {
  Scenario scenario;
  scenario.file = scenario.title = "a random plan";
  scenario.backend = vmm::Backend::kSim;
  scenario.machine.vcpus = plan.cpus + plan.spare;
  scenario.machine.memory_mib = 65536;
  scenario.machine.threads_per_core = 1U << plan.threads;
  vmm::BringupSpec &bringup = scenario.bringup;
  bringup.max_cpus = plan.cpus;
  bringup.strategy = static_cast<abi::Strategy>(plan.strategy);
  bringup.window = plan.window;
  bringup.attempts = plan.attempts;
  bringup.cycles = plan.cycles;
  bringup.primary_threads_first = plan.primaries_first;
  bringup.stop = plan.stops ? abi::Stop::kInit : abi::Stop::kNone;
  bringup.wait = plan.halts ? abi::Wait::kHalt : abi::Wait::kSpin;
  bringup.timeout_ms = plan.timeout_ms;
  for (CpuIndex cpu = 0; cpu < plan.cpus; ++cpu)
    scenario.expect.online.push_back(cpu);
  return scenario;
}

void add_latencies(const RandomPlan &plan, Scenario &scenario) {
  for (std::size_t i = 0; i < kFigures.size(); ++i)
    scenario.sim.*kFigures[i].value = plan.us[i] * kFigures[i].most_us / 1000;
  scenario.sim.jitter = plan.jitter_percent / 100.0;
  static const std::vector<KnownPlace> kPlaces = known_places();
  for (const RandomLatency &latency : plan.latencies) {
    const vmm::FaultPlace &at = kPlaces[latency.place % kPlaces.size()].place;
    if (!std::holds_alternative<vmm::GuestPlace>(at.where))
      continue;
    Scenario with = scenario;
    with.sim.latencies.push_back({{1 + latency.cpu % (plan.cpus - 1)},
                                  at.text,
                                  std::get<vmm::GuestPlace>(at.where).place,
                                  static_cast<double>(latency.us)});
    if (is_valid(with)) // a place behind a step takes no time of its own
      scenario = std::move(with);
  }
}

/// Nothing fits there: the control CPU has no such place.
std::optional<FaultSpec> fault_of(const RandomFault &chosen, const Scenario &scenario) {
  const std::vector<KnownPlace> places = known_places({chosen.us / 1000.0});
  const KnownPlace &place = places[chosen.place % places.size()];
  const vmm::BringupSpec &bringup = scenario.bringup;
  const CpuIndex cpu = (chosen.cpu + 1) % bringup.max_cpus;
  const std::vector<FaultSpec> fitting = faults_at(place, cpu);
  if (fitting.empty())
    return std::nullopt;
  FaultSpec fault = fitting[chosen.what % fitting.size()];
  if (fault.duration_ms > 0)
    fault.duration_ms = 3 * bringup.timeout_ms * chosen.percent / 100;
  if (chosen.all)
    fault.cpus = vmm::cpu_range(1, bringup.max_cpus - 1);
  const bool timed = place.kind == vmm::PlaceKind::kTime;
  fault.attempt = timed ? 1 : (chosen.attempt + 1) % (bringup.attempts + 1);
  fault.cycle = timed ? 1 : (chosen.cycle + 1) % (bringup.cycles + 1);
  fault.count = (fault.attempt == 0 ? bringup.attempts : 1) * (fault.cycle == 0 ? bringup.cycles : 1);
  return fault;
}

} // namespace

Scenario scenario_of(const RandomPlan &plan) {
  Scenario scenario = machine_of(plan);
  add_latencies(plan, scenario);
  for (const RandomFault &chosen : plan.faults) {
    auto fault = fault_of(chosen, scenario);
    if (!fault)
      continue;
    scenario.faults.push_back(std::move(*fault));
    if (!is_valid(scenario))
      scenario.faults.pop_back();
  }
  return scenario;
}

} // namespace reveille::explore
