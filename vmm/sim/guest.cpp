#include "vmm/sim/guest.hpp"

#include "core/abi/rings.hpp"
#include "core/claim.hpp"

#include <algorithm>
#include <new>

namespace reveille::vmm::sim {

using abi::EventKind;
using abi::Place;

namespace {

constexpr Ns kBoot = kNsPerMs; // of CPU 0, from power-on to its control side
constexpr std::size_t kUsualEvents = 40;
/// Of all CPUs together, 2.5 GB: what a run of very many cycles may cost.
constexpr std::size_t kMostEvents = 64'000'000;

/// As many as the rings of the real guest hold, which its host empties in each cycle.
std::size_t most_kept(std::size_t in_a_cycle, const Scenario &scenario) {
  return std::min(in_a_cycle * (scenario.bringup.cycles + std::size_t{1}),
                  std::max(in_a_cycle, kMostEvents / scenario.machine.vcpus));
}

core::Settings settings_of(const Scenario &scenario) {
  const BringupSpec &bringup = scenario.bringup;
  core::Settings settings;
  settings.cpus = bringup.max_cpus;
  settings.strategy = bringup.strategy;
  settings.stop = bringup.stop;
  settings.window = bringup.window;
  settings.attempts = bringup.attempts;
  settings.primary_threads_first = bringup.primary_threads_first;
  settings.set_timeout(static_cast<Ns>(bringup.timeout_ms * kNsPerMs), kTscKhz);
  return settings;
}

} // namespace

Guest::Guest(const Scenario &scenario, const Roster &roster, Machine &machine, Listener &listener)
    : scenario_(scenario), machine_(machine), listener_(listener), latencies_(scenario),
      settings_(settings_of(scenario)), steps_(make_steps()), cpus_(scenario.machine.vcpus),
      seats_(scenario.bringup.max_cpus), control_(*this, 0), driver_(control_, settings_, seats_) {
  const BringupSpec &bringup = scenario.bringup;
  keep_ = {most_kept(abi::control_ring_events(scenario.machine.vcpus, bringup.attempts), scenario),
           most_kept(abi::ap_ring_events(bringup.strategy, bringup.attempts), scenario)};
  meet_cpus(roster);
}

/// What the real guest reads in the MADT (guest/smp/cpus.cpp, guest/smp/identity.cpp). APIC IDs are CPUs
/// (vmm/machine/apic_ids.hpp), and threads of a core adjacent.
void Guest::meet_cpus(const Roster &roster) {
  const std::uint32_t threads = scenario_.machine.threads_per_core;
  std::vector<std::optional<CpuIndex>> primaries(cpus_.size()); // by the first ID of their cores
  for (CpuIndex number = 0; number < cpus_.size(); ++number) {
    Cpu &cpu = cpus_[number];
    const CpuIndex of = roster.cpu_of(number);
    cpu.apic_id = roster.listed_as(of);
    cpu.is_reachable = roster.presence(of) != Presence::kTwin;
    std::optional<CpuIndex> &primary = primaries[of - of % threads];
    if (cpu.is_reachable && !primary)
      primary = number;
    cpu.primary = cpu.is_reachable ? *primary : number;
    cpu.tsc_ahead = static_cast<std::uint64_t>(skew_ticks(roster.skew_us(of), kTscKhz));
  }
}

/// The trampoline up to the claim. An AP that comes for an attempt that is not waited for, or whose ID is
/// another's in the ID map, has touched nothing.
Software::Begun Guest::begin(CpuIndex index, unsigned vector) {
  const unsigned page = vector - kFirstPage;
  if (page >= abi::kPages)
    return Begun::kAstray;
  Cpu &cpu = cpus_[index];
  if (!cpu.is_reachable)
    return refuse(index, {});
  const core::Word word = core::Word::from(cpu.word.load());
  std::optional<Untouched> before; // a look at all that is shared, where nothing of it may change
  if (word.state != core::State::kKicked || word.attempt % abi::kPages != page)
    before.emplace(*this, index);
  const core::Claim claim = core::claim(cpu.word, page, abi::kPages);
  if (before || !claim.won)
    return refuse(index, before ? before->what_changed() : "");
  cpu.mine = {index, claim.word.attempt, cpu.area_of_page[page]};
  cpu.owed = protocol::Point::kAlive;
  const Handed found = handed(index, claim.word.attempt);
  if (cpu.handed.attempt == found.attempt)
    if (std::string what = difference(cpu.handed, found); !what.empty())
      not_seen_.push_back({index, found.attempt, std::move(what)});
  cpu.ap.emplace(*this, index, claim.word);
  return Begun::kRuns;
}

Software::Begun Guest::refuse(CpuIndex cpu, std::string touched) {
  refused_.push_back({cpu, machine_.now(), std::move(touched)});
  return Begun::kHalts;
}

/// What is there for the AP of an attempt now.
Handed Guest::handed(CpuIndex cpu, std::uint32_t attempt) const {
  const Cpu &of = cpus_[cpu];
  return {attempt, of.area_of_page[attempt % abi::kPages], of.ordinal, of.cycle};
}

void Guest::run(CpuIndex cpu) {
  if (cpu == 0)
    run_control();
  run_ap(cpus_[cpu]);
}

void Guest::run_ap(Cpu &cpu) {
  Ap &ap = *cpu.ap;
  if (!ap.up) {
    ap.env.log(EventKind::kFound, cpu.mine.cpu, cpu.mine.attempt, cpu.mine.token,
               abi::found(cpu.ordinal, cpu.cycle));
    ap.up = ap.side.bring_up() == core::ApEnd::kActive;
  }
  if (ap.up)
    stay_up(cpu);
  cpu.mine.token = 0; // what it comes to rest on is never freed
  core::come_to_rest(ap.env, ap.side.word());
}

/// Idles, brings others up when it is left one, until it has been taken down.
void Guest::stay_up(Cpu &cpu) {
  Ap &ap = *cpu.ap;
  core::ApCall call = ap.side.idle();
  for (; call == core::ApCall::kControl; call = ap.side.idle()) {
    ControlEnvironment env(*this, ap.env.cpu());
    core::Delegate<ControlEnvironment>(env, settings_, seats_).serve();
  }
  if (call == core::ApCall::kDown)
    ap.side.go_down();
}

void Guest::run_control() {
  control_.spend(kBoot);
  call_host_if_armed(0, Place::kZero, 0);
  zero_ = machine_.now();
  control_.log(EventKind::kZero, 0, 0, 0, 0);
  driver_.bring_up();
  for (std::uint32_t cycle = 1; cycle < scenario_.bringup.cycles; ++cycle) {
    driver_.take_down();
    driver_.bring_up();
  }
  decided_ = machine_.now();
  control_.log(EventKind::kDecided, 0, 0, 0, 0);
  for (;;) {
    driver_.poll();
    control_.wait_until([this] { return arrivals_.any(); }, driver_.deadline());
  }
}

void Guest::take_work(CpuIndex cpu) {
  if (Area *area = areas_.find(cpus_[cpu].mine))
    area->answered = true;
}

void Guest::log(CpuIndex writer, const abi::Event &event) {
  note(event);
  try {
    keep(writer, event);
  } catch (const std::bad_alloc &) { // nothing may leave the stack of a CPU
    ++cpus_[writer].lost_events;
  }
}

/// Of too many the older half goes, at once, so that keeping on does not cost a move for each.
void Guest::keep(CpuIndex writer, const abi::Event &event) {
  Cpu &cpu = cpus_[writer];
  if (cpu.events.capacity() == 0)
    cpu.events.reserve(kUsualEvents);
  cpu.events.push_back(event);
  const std::size_t most = writer == 0 ? keep_.of_control : keep_.of_ap;
  if (cpu.events.size() <= most)
    return;
  const std::size_t spare = cpu.events.size() - most / 2;
  cpu.events.erase(cpu.events.begin(), cpu.events.begin() + static_cast<std::ptrdiff_t>(spare));
  cpu.lost_events += static_cast<std::uint32_t>(spare);
}

/// What the host needs to know at once.
void Guest::note(const abi::Event &event) {
  switch (event.kind) {
  case EventKind::kOnline:
  case EventKind::kOffline:
    cpus_[event.cpu].online = event.kind == EventKind::kOnline;
    listener_.has_decided(event.cpu, event.attempt, event.kind == EventKind::kOnline);
    break;
  case EventKind::kFailed:
    cpus_[event.cpu].online = false;
    break;
  case EventKind::kMoved:
    if (core::Word::from(event.b).state == abi::State::kKicked)
      cpus_[event.cpu].kicked_from = event.a;
    break;
  case EventKind::kCycle:
    cycle_ = static_cast<std::uint32_t>(event.a);
    break;
  default:
    break;
  }
}

void Guest::call_host_if_armed(CpuIndex actor, Place place, CpuIndex target) {
  if (((cpus_[target].armed >> static_cast<unsigned>(place)) & 1) != 0)
    machine_.call_host(actor, place, target);
}

} // namespace reveille::vmm::sim
