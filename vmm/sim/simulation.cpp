#include "vmm/sim/simulation.hpp"

#include "core/protocol/guest_steps.hpp"
#include "vmm/scenario/bound.hpp"
#include "vmm/sim/striker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace reveille::vmm::sim {

namespace {

constexpr Ns kLook = kNsPerMs;           // between two looks whether all faults are seen through
constexpr unsigned kStepsPerLook = 4096; // at the host: its clock, Ctrl-C
constexpr std::chrono::milliseconds kReport{100};

std::string_view name(Power power) {
  switch (power) {
  case Power::kWaitsForInit:
    return "waits for INIT";
  case Power::kWaitsForSipi:
    return "waits for SIPI";
  case Power::kStarting:
    return "on its way from SIPI";
  case Power::kRuns:
    return "runnable";
  case Power::kHalted:
    return "halted";
  case Power::kShutdown:
    return "shutdown";
  case Power::kAbsent:
    return "absent";
  }
  return "unknown";
}

class Simulation {
public:
  Simulation(const Scenario &scenario, const SimHooks &hooks)
      : roster_(scenario), scenario_(roster_.renumbered(scenario)), hooks_(hooks),
        faults_(scenario, roster_, CpuNumbers::kGuest), striker_(scenario_, faults_),
        guest_(scenario_, roster_, machine_, striker_), machine_(scenario.machine.vcpus, guest_, striker_),
        bound_(from_us(run_bound_ms(scenario) * 1000)) {
    striker_.watch(machine_, guest_);
    for (CpuIndex cpu = 0; cpu < machine_.cpus(); ++cpu)
      if (!roster_.exists(cpu))
        machine_.leave_out(roster_.number_of(cpu));
    for (CpuIndex cpu = 0; cpu < machine_.cpus(); ++cpu)
      if (faults_.strikes(cpu))
        struck_.push_back(cpu);
  }

  Observation run() {
    machine_.power_on();
    const RunEnd end = watch();
    return observe(end);
  }

  [[nodiscard]] SimCost cost() const {
    return {steps_, machine_.stacks().most_in_use(), guest_.areas_in_use()};
  }

private:
  RunEnd watch();
  [[nodiscard]] bool is_complete();
  [[nodiscard]] bool all_seen_through();
  [[nodiscard]] bool is_seen_through(CpuIndex cpu);
  void report();
  void name_cpus(Observation &seen) const;
  Observation observe(RunEnd end);
  CpuObservation observe(CpuIndex cpu);
  /// By the scenario, whether or not the guest has found it.
  [[nodiscard]] bool is_asked_for(CpuIndex cpu) const {
    return cpu < scenario_.bringup.max_cpus || !is_found(roster_.presence(roster_.cpu_of(cpu)));
  }

  const Roster roster_;
  const Scenario scenario_; ///< by the guest's numbers, as all in here but what observe() makes of it
  const SimHooks &hooks_;
  FaultEngine faults_;
  Striker striker_;
  Guest guest_;
  Machine machine_;
  Ns bound_;
  std::uint64_t steps_ = 0;
  std::vector<CpuIndex> struck_; ///< by a fault that is not seen through yet
  Ns looked_at_ = 0;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point reported_ = began_;
};

RunEnd Simulation::watch() {
  while (machine_.next() <= bound_) {
    machine_.step(bound_);
    if (striker_.control_died())
      return RunEnd::kControlDied;
    if (is_complete())
      return RunEnd::kComplete;
    if (steps_++ % kStepsPerLook != 0)
      continue;
    if (hooks_.interrupted != nullptr && hooks_.interrupted())
      return RunEnd::kInterrupted;
    report();
  }
  // Nothing more is due within the bound, ever.
  return guest_.decided_at() != 0 && all_seen_through() ? RunEnd::kComplete : RunEnd::kBound;
}

/// The lab's rules (vmm/lab/lab.cpp): all is decided, each fault is seen through, and CPU 0 has
/// nothing to do for those who came late.
bool Simulation::is_complete() {
  if (guest_.decided_at() == 0 || !striker_.all_posted() || !machine_.is_idle(0) || !guest_.has_served_all())
    return false;
  if (struck_.empty())
    return true;
  if (machine_.next() == machine_.now() || machine_.now() < looked_at_ + kLook)
    return false;
  looked_at_ = machine_.now();
  return all_seen_through();
}

bool Simulation::all_seen_through() {
  std::erase_if(struck_, [this](CpuIndex cpu) { return is_seen_through(cpu); });
  return struck_.empty();
}

bool Simulation::is_seen_through(CpuIndex cpu) {
  const Power power = machine_.power(cpu);
  const bool waits = power == Power::kWaitsForInit || power == Power::kWaitsForSipi;
  FaultEngine::CpuState now;
  now.decided = true; // all are
  now.word = guest_.word(cpu);
  now.online = guest_.online(cpu) && !striker_.crashed(cpu, abi::Word::from(now.word).attempt);
  now.attempt = {guest_.ordinal(cpu), guest_.cycle(cpu)};
  now.at_rest = cpu == 0 || waits || power == Power::kHalted || power == Power::kShutdown;
  if (waits && faults_.wants_rest(cpu))
    faults_.took_init(cpu);
  return faults_.see_through(cpu, now);
}

void Simulation::report() {
  const auto now = std::chrono::steady_clock::now();
  if (!hooks_.progress || now - reported_ < kReport)
    return;
  reported_ = now;
  std::vector<abi::Word> words;
  words.reserve(machine_.cpus());
  for (CpuIndex cpu = 0; cpu < machine_.cpus(); ++cpu)
    words.push_back(abi::Word::from(guest_.word(roster_.number_of(cpu))));
  std::vector<CpuIndex> held;
  for (const CpuIndex cpu : faults_.held())
    held.push_back(roster_.cpu_of(cpu));
  std::ranges::sort(held);
  hooks_.progress({to_us(machine_.now()) / 1000, words, held, guest_.cycle(), scenario_.bringup.cycles,
                   std::chrono::duration<double, std::milli>(now - began_).count()});
}

Observation Simulation::observe(RunEnd end) {
  Observation seen;
  seen.end = end;
  seen.cpus.reserve(machine_.cpus());
  for (CpuIndex cpu = 0; cpu < machine_.cpus(); ++cpu) {
    seen.cpus.push_back(observe(roster_.number_of(cpu)));
    seen.cpus.back().presence = roster_.presence(cpu);
  }
  seen.faults = faults_.accounts();
  seen.firings = faults_.firings();
  for (Firing &firing : seen.firings) {
    firing.began_us -= to_us(guest_.zero());
    firing.ended_us -= to_us(guest_.zero());
  }
  seen.crashes = striker_.crashes();
  for (const protocol::StepSpec &step : protocol::kGuestSteps)
    seen.steps.names[static_cast<std::size_t>(step.section)].emplace_back(step.name);
  seen.refused = guest_.take_refused();
  seen.not_seen = guest_.take_not_seen();
  seen.tsc_khz = kTscKhz;
  seen.zero_tsc = guest_.zero();
  seen.boot_us = to_us(guest_.zero());
  seen.decided_tsc = guest_.decided_at();
  seen.found_cpus = roster_.found();
  seen.bound_ms = to_us(bound_) / 1000;
  seen.total_us = to_us(end == RunEnd::kBound ? bound_ : machine_.now());
  seen.end_detail = describe_end(seen);
  name_cpus(seen);
  return seen;
}

/// The scenario's CPUs in place of the guest's numbers.
void Simulation::name_cpus(Observation &seen) const {
  for (CpuObservation &cpu : seen.cpus)
    for (abi::Event &event : cpu.events)
      roster_.rename(event);
  for (FaultAccount &account : seen.faults)
    account.cpu = roster_.cpu_of(account.cpu);
  std::sort(seen.faults.begin(), seen.faults.end(), [](const FaultAccount &a, const FaultAccount &b) {
    return std::pair(a.fault, a.cpu) < std::pair(b.fault, b.cpu);
  });
  for (Firing &firing : seen.firings) {
    firing.cpu = roster_.cpu_of(firing.cpu);
    firing.vcpu = roster_.cpu_of(firing.vcpu);
  }
  for (CrashEvidence &crash : seen.crashes)
    crash.cpu = roster_.cpu_of(crash.cpu);
  for (RefusedStart &start : seen.refused)
    start.cpu = roster_.cpu_of(start.cpu);
  for (NotSeen &each : seen.not_seen)
    each.cpu = roster_.cpu_of(each.cpu);
}

CpuObservation Simulation::observe(CpuIndex cpu) {
  CpuObservation seen;
  seen.apic_id = guest_.apic_id(cpu);
  seen.word = guest_.word(cpu);
  seen.events = guest_.take_events(cpu);
  seen.lost_events = guest_.lost_events(cpu);
  const bool up = (cpu == 0 || guest_.online(cpu)) && !striker_.crashed(cpu) && !faults_.has_written(cpu);
  if (!up && is_asked_for(cpu) && machine_.power(cpu) != Power::kAbsent) {
    VcpuSnapshot shot;
    shot.mp_state = name(machine_.power(cpu));
    shot.by = faults_.holder(cpu);
    shot.held = shot.by.has_value();
    seen.vcpu = std::move(shot);
  }
  return seen;
}

} // namespace

Result<Observation> simulate(const Scenario &scenario, const SimHooks &hooks, SimCost *cost) {
  try {
    Simulation simulation(scenario, hooks);
    Observation seen = simulation.run();
    if (cost != nullptr)
      *cost = simulation.cost();
    return seen;
  } catch (const std::bad_alloc &) {
    return fail(
        ExitStatus::kUnsupported,
        fmt::format("this host has no memory for {} simulated CPUs; use fewer", scenario.machine.vcpus));
  } catch (const std::exception &broken) {
    return fail(ExitStatus::kBroken, broken.what());
  }
}

} // namespace reveille::vmm::sim
