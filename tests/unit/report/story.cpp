#include "tests/unit/report/story.hpp"

#include <algorithm>
#include <random>

namespace reveille::vmm::story {
namespace {

using abi::EventKind;
using abi::State;
using abi::Word;

constexpr std::uint64_t kZeroTsc = 1'000'000;
constexpr std::uint32_t kTscKhz = 1'000'000; // 1000 ticks a microsecond

/// Points from `begin` on, `step` apart; the releases half-way.
PointTimes times(double begin, double step, unsigned points = protocol::kPointCount) {
  PointTimes t;
  t.kick = begin;
  for (unsigned i = 0; i < points; ++i) {
    t.arrived[i] = begin + (i + 1) * step;
    if (i + 1 < protocol::kPointCount)
      t.resumed[i] = begin + (i + 1.5) * step;
  }
  return t;
}

void add_invariants(Verdict &verdict) {
  verdict.invariants = {{"legal-transitions", true, {}},
                        {"one-writer", true, {}},
                        {"visible-before", std::nullopt, "proved on sim and under Relacy"}};
}

FaultSpec fault(CpuIndex cpu, abi::Place place, std::string at, Action action, double ms) {
  FaultSpec f;
  f.cpus = {cpu};
  f.at = {std::move(at), GuestPlace{place}};
  f.action = action;
  f.duration_ms = ms;
  return f;
}

void fail_cpu(Story &s, CpuIndex cpu, std::string reason, unsigned points, Word last) {
  CpuVerdict &v = s.verdict.cpus[cpu];
  v.outcome = CpuOutcome::kFailed;
  v.reason = std::move(reason);
  v.points = times(*v.points.kick, 150, points);
  if (points > 0)
    v.points.resumed[points - 1] = *v.points.arrived[points - 1] + 50;
  s.seen.cpus[cpu].word = last.with(State::kAbandoned, last.step).bits();
  s.seen.cpus[0].events.push_back(
      event(300'399, cpu, EventKind::kMoved, last.bits(), last.with(State::kAbandoned, last.step).bits()));
  s.seen.cpus[0].events.push_back(event(300'400, cpu, EventKind::kTimeout, last.bits()));
  s.seen.cpus[0].events.push_back(
      event(300'410, cpu, EventKind::kFailed, last.bits(), abi::failed(abi::FailReason::kTimeout, 0, 0, 0)));
}

/// An AP's way up as it and the control CPU would have written it down.
void tell_way(Story &s, const CpuVerdict &cpu) {
  constexpr double kAct = 5; // us, for what the control CPU does
  auto &control = s.seen.cpus[0].events;
  std::vector<abi::Event> own;
  const auto moved = [&](std::vector<abi::Event> &ring, double us, State from, State to) {
    const std::uint32_t before = from == State::kDown ? 0 : 1;
    ring.push_back(event(us, cpu.cpu, EventKind::kMoved, Word{before, from}.bits(), Word{1, to}.bits()));
  };
  const double kick = *cpu.points.kick;
  control.push_back(event(kick - kAct, cpu.cpu, EventKind::kStepEnter, 0, 1));
  control.push_back(event(kick - 1, cpu.cpu, EventKind::kStepDone, 0, abi::step_result(1, 0)));
  moved(control, kick - 0.5, State::kDown, State::kKicked);
  control.push_back(event(kick, cpu.cpu, EventKind::kKick, 1, cpu.cpu));
  if (cpu.points.arrived[0])
    moved(own, kick + 1, State::kKicked, State::kClaimed);
  for (const protocol::PointRow &row : protocol::kPoints) {
    const auto i = static_cast<std::size_t>(row.point);
    if (cpu.points.arrived[i])
      moved(own, *cpu.points.arrived[i], row.before, row.arrived);
    if (cpu.points.resumed[i]) {
      moved(control, *cpu.points.resumed[i] - kAct, row.arrived, row.released);
      own.push_back(
          event(*cpu.points.resumed[i], cpu.cpu, EventKind::kResumed, Word{1, row.released}.bits()));
    }
  }
  if (cpu.outcome == CpuOutcome::kOnline)
    control.push_back(
        event(*cpu.points.arrived.back() + 1, cpu.cpu, EventKind::kOnline, Word{1, State::kActive}.bits()));
  if (s.seen.cpus[cpu.cpu].events.empty())
    s.seen.cpus[cpu.cpu].events = std::move(own);
}

/// Gives a story the events that its verdict tells of, beside those that it has.
void tell_events(Story &s) {
  for (Firing &firing : s.seen.firings)
    firing.vcpu = firing.cpu;
  auto &control = s.seen.cpus[0].events;
  control.push_back(event(0, 0, EventKind::kZero));
  control.push_back(event(0, 0, EventKind::kCycle, 1));
  for (const CpuVerdict &cpu : s.verdict.cpus)
    if (cpu.points.kick)
      tell_way(s, cpu);
  if (s.verdict.decided_us) {
    control.push_back(event(*s.verdict.decided_us, 0, EventKind::kDecided));
    s.seen.decided_tsc = control.back().tsc;
  }
  std::ranges::stable_sort(control, {}, &abi::Event::tsc);
}

void stall_cpu_3(Story &s) {
  fail_cpu(s, 3, "timeout@started", 1, {1, State::kStarting, 1});
  s.verdict.cpus[3].quarantined = 1;
  auto &ring = s.seen.cpus[3].events;
  const std::uint64_t starting = 2;
  ring = {event(160, 3, EventKind::kMoved, Word{1, State::kKicked}.bits(), Word{1, State::kClaimed}.bits()),
          event(210, 3, EventKind::kResumed, Word{1, State::kStarting}.bits()),
          event(215, 3, EventKind::kStepEnter, 0, starting),
          event(220, 3, EventKind::kStepDone, 0, abi::step_result(2, 0)),
          event(225, 3, EventKind::kStepEnter, 1, starting)};
  s.seen.cpus[3].vcpu = {"runnable", 0xffff'1234, "reveille::guest::step+0x34 (guest/run/steps.cpp:41)", true,
                         0};
  s.seen.firings.push_back({0, 3, 1, 200, 0, HoldEnd::kHolding, true});
  s.seen.faults[0].fired = 1;
}

void crash_cpu_5(Story &s) {
  fail_cpu(s, 5, "crash@active", 5, {1, State::kActivating, 0});
  s.seen.cpus[5].vcpu = {"shut down", 0x8000, "", false, {}};
  s.seen.crashes.push_back({5, 1, "triple fault", 0x8000});
  s.seen.firings.push_back({1, 5, 1, 900, 1000, HoldEnd::kCrashed, true});
  s.seen.faults[1].fired = 1;
}

} // namespace

abi::Event event(double us, CpuIndex cpu, EventKind kind, std::uint64_t a, std::uint64_t b) {
  return {kZeroTsc + static_cast<std::uint64_t>(us * 1000), 1, cpu, a, b, kind, 0, {}};
}

HostInfo host() { return {"6.1.0-test", "A CPU", 2, 12, 2, 4096, 4096}; }

namespace {

/// Without its events.
Story untold(std::uint32_t vcpus) {
  Story s;
  s.scenario.file = "configs/all-up.toml";
  s.scenario.title = "All come up";
  s.scenario.machine.vcpus = vcpus;
  s.scenario.bringup.max_cpus = vcpus;
  s.scenario.bringup.timeout_ms = 1000;
  s.seen.tsc_khz = kTscKhz;
  s.seen.zero_tsc = kZeroTsc;
  s.seen.create_us = 2'345.67;
  s.seen.total_us = 12'345.67;
  s.seen.steps.names[2] = {"areas", "mtrr"};
  s.seen.cpus.resize(vcpus);
  double last = 0;
  for (CpuIndex cpu = 0; cpu < vcpus; ++cpu) {
    CpuVerdict v;
    v.cpu = v.apic_id = cpu;
    v.outcome = CpuOutcome::kOnline;
    if (cpu != 0) {
      v.attempts = 1;
      v.points = times(10.0 * cpu + 0.04, 100);
      last = *v.points.arrived.back();
      s.seen.cpus[cpu].word = Word{1, State::kActive}.bits();
    }
    s.verdict.cpus.push_back(v);
  }
  s.verdict.bringup_us = s.verdict.decided_us = last;
  add_invariants(s.verdict);
  return s;
}

} // namespace

Story all_up(std::uint32_t vcpus) {
  Story s = untold(vcpus);
  tell_events(s);
  return s;
}

Story trouble(bool broken) {
  Story s = untold(8);
  s.scenario.file = "configs/it's trouble.toml";
  s.scenario.title = "Three CPUs in trouble";
  s.scenario.seed = 7;
  s.scenario.faults = {fault(3, abi::Place::kAliveReleased, "alive.released", Action::kStall, 0),
                       fault(5, abi::Place::kIdleReleased, "idle.released", Action::kCrash, 0),
                       fault(2, abi::Place::kSynced, "synced", Action::kDelay, 5)};
  s.seen.faults = {{0, 3, 0, true}, {1, 5, 0, true}, {2, 2, 0, true}};
  stall_cpu_3(s);
  crash_cpu_5(s);
  s.verdict.cpus[6] = {};
  s.verdict.cpus[6].cpu = s.verdict.cpus[6].apic_id = 6;
  s.verdict.decided_us = 300'410;
  s.verdict.kind = VerdictKind::kFail;
  s.verdict.exit = ExitStatus::kDiffers;
  s.verdict.differences = {"CPU 5 was to be online and failed with crash@active",
                           "fault 2 fired 0 times on CPU 2 instead of 1"};
  if (broken) {
    s.verdict.kind = VerdictKind::kBroken;
    s.verdict.exit = ExitStatus::kBroken;
    s.verdict.invariants[1].holds = false;
    s.verdict.invariants[1].evidence = "CPU 3 moved its word in attempt 1 after it had been abandoned";
  }
  tell_events(s);
  return s;
}

Story many() {
  Story s = untold(1000);
  for (CpuIndex cpu = 100; cpu < 119; ++cpu) {
    fail_cpu(s, cpu, "timeout@alive", 0, {1, State::kKicked, 0});
    s.seen.firings.push_back({0, cpu, 1, 100.0 * cpu, 0, HoldEnd::kHolding, true});
    s.seen.faults.push_back({0, cpu, 1, true});
  }
  FaultSpec stall = fault(100, abi::Place::kAlive, "alive", Action::kStall, 0);
  s.scenario.faults = {stall};
  PointTimes &slow = s.verdict.cpus[500].points;
  for (std::size_t i = 2; i < protocol::kPointCount; ++i)
    *slow.arrived[i] += 40'000;
  s.verdict.decided_us = 300'410;
  tell_events(s);
  return s;
}

Story garbage() {
  Story s = trouble(true);
  std::mt19937_64 random(42); // NOLINT(cert-msc51-cpp): the same garbage each time
  for (CpuObservation &cpu : s.seen.cpus) {
    cpu.word = random();
    cpu.lost_events = static_cast<std::uint32_t>(random());
    for (int i = 0; i < 500; ++i) {
      abi::Event e{};
      e.tsc = random();
      e.attempt = static_cast<std::uint32_t>(random() % 3);
      e.cpu = static_cast<std::uint32_t>(random() % 9);
      e.kind = static_cast<abi::EventKind>(random() % 40);
      e.a = random();
      e.b = random();
      cpu.events.push_back(e);
    }
  }
  for (auto &names : s.seen.steps.names)
    names = {"\033[2J\xff\xfe", "", "a\nb"};
  s.seen.tsc_khz = 0;
  s.verdict.cpus[1].points.kick = -5;
  s.verdict.cpus[1].points.arrived[0] = 1e300;
  s.verdict.cpus[2].points.arrived[3] = std::numeric_limits<double>::quiet_NaN();
  s.verdict.differences.emplace_back("step \xff\033[31m");
  s.seen.firings.push_back({99, 77, 1, 1, 2, HoldEnd::kReleased, true, Aftermath::kTookInit});
  s.seen.faults.push_back({99, 77, 1, true});
  s.seen.crashes.push_back({99, 1, "\033]0;x\a", 1});
  return s;
}

} // namespace reveille::vmm::story
