// Runs made by hand for the judge: a sound one, to be broken in one place by each test.
#pragma once

#include "core/protocol/points.hpp"
#include "vmm/judge/verdict.hpp"

#include <algorithm>
#include <string>

namespace reveille::vmm {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Word;
using protocol::Section;

/// Writes the events that a guest would write. One microsecond passes from each to the next.
class MadeRun {
public:
  explicit MadeRun(CpuIndex cpus) {
    scenario.machine.vcpus = cpus;
    scenario.bringup.max_cpus = cpus;
    scenario.bringup.timeout_ms = 100;
    for (CpuIndex cpu = 0; cpu < cpus; ++cpu) {
      scenario.expect.online.push_back(cpu);
      seen.cpus.push_back({});
      seen.cpus.back().apic_id = cpu;
    }
    seen.found_cpus = cpus;
    seen.tsc_khz = 1'000'000; // a tick is a nanosecond
    seen.zero_tsc = now = 1'000'000;
    seen.steps.names[1] = {"area"};
    seen.steps.names[2] = {"tables", "timer"};
    seen.steps.names[3] = {"worker"};
  }

  void note(CpuIndex writer, EventKind kind, CpuIndex cpu, std::uint32_t attempt, std::uint64_t a = 0,
            std::uint64_t b = 0, std::uint8_t flags = 0) {
    now += 1'000;
    seen.cpus[writer].events.push_back({now, attempt, cpu, a, b, kind, flags, {}});
  }

  void move(CpuIndex writer, CpuIndex cpu, Word to) {
    const Word from = Word::from(seen.cpus[cpu].word);
    note(writer, EventKind::kMoved, cpu, to.attempt, from.bits(), to.bits());
    seen.cpus[cpu].word = to.bits();
  }

  void step(CpuIndex writer, CpuIndex cpu, std::uint32_t attempt, Section section, unsigned index) {
    note(writer, EventKind::kStepEnter, cpu, attempt, index, static_cast<std::uint64_t>(section));
    note(writer, EventKind::kStepDone, cpu, attempt, index,
         abi::step_result(static_cast<unsigned>(section), 0));
  }

  void undo(CpuIndex writer, CpuIndex cpu, std::uint32_t attempt, Section section, unsigned index) {
    note(writer, EventKind::kUndoEnter, cpu, attempt, index, static_cast<std::uint64_t>(section));
    note(writer, EventKind::kUndoDone, cpu, attempt, index, static_cast<std::uint64_t>(section));
  }

  static std::uint64_t area_of(CpuIndex cpu, std::uint32_t attempt) { return cpu * 100 + attempt; }

  void kick(CpuIndex cpu, std::uint32_t attempt) {
    step(0, cpu, attempt, Section::kPrepare, 0);
    move(0, cpu, {attempt, State::kKicked, 0});
    note(0, EventKind::kKick, cpu, attempt, attempt, area_of(cpu, attempt));
  }

  /// Takes an AP from its kick to the state `last`, through all before it.
  void climb(CpuIndex cpu, std::uint32_t attempt, State last) {
    constexpr State kWay[] = {State::kClaimed, State::kAlive,  State::kStarting,   State::kStarted,
                              State::kSyncing, State::kSynced, State::kOnlining,   State::kOnline,
                              State::kIdling,  State::kIdle,   State::kActivating, State::kActive};
    for (const State state : kWay) {
      const bool by_ap = protocol::row(Word::from(seen.cpus[cpu].word).state).owner == protocol::Owner::kAp;
      if (state == State::kClaimed) { // written down with the claim, just before it
        note(cpu, EventKind::kFound, cpu, attempt, area_of(cpu, attempt), abi::found(attempt, 1));
        now -= 1'000;
      }
      move(by_ap ? cpu : 0, cpu, {attempt, state, 0});
      if (!by_ap)
        note(cpu, EventKind::kResumed, cpu, attempt, seen.cpus[cpu].word);
      if (state == last)
        return;
      if (state == State::kStarting)
        section(cpu, attempt, state, Section::kStarting, 2);
      if (state == State::kActivating)
        section(cpu, attempt, state, Section::kOnline, 1);
      if (state == State::kSyncing)
        note(0, EventKind::kTscServed, cpu, attempt, 5, 7);
    }
    note(0, EventKind::kOnline, cpu, attempt, seen.cpus[cpu].word);
  }

  void section(CpuIndex cpu, std::uint32_t attempt, State state, Section section, unsigned steps) {
    for (unsigned i = 0; i < steps; ++i) {
      step(cpu, cpu, attempt, section, i);
      move(cpu, cpu, {attempt, state, static_cast<std::uint16_t>(i + 1)});
    }
  }

  /// An AP all the way up.
  void up(CpuIndex cpu) {
    kick(cpu, 1);
    climb(cpu, 1, State::kIdle);
    move(0, cpu, {1, State::kActivating, 0});
    note(cpu, EventKind::kResumed, cpu, 1, seen.cpus[cpu].word);
    section(cpu, 1, State::kActivating, Section::kOnline, 1);
    move(cpu, cpu, {1, State::kActive, 0});
    note(0, EventKind::kOnline, cpu, 1, seen.cpus[cpu].word);
  }

  /// An AP all the way up in a later attempt.
  void up_again(CpuIndex cpu, std::uint32_t attempt) {
    kick(cpu, attempt);
    climb(cpu, attempt, State::kActive);
    note(0, EventKind::kOnline, cpu, attempt, seen.cpus[cpu].word);
  }

  /// The CP tells an AP that is up to go down, and it begins with that.
  void take_down(CpuIndex cpu, std::uint32_t attempt) {
    note(0, EventKind::kTakeDown, cpu, attempt, seen.cpus[cpu].word);
    move(0, cpu, {attempt, State::kUndoOnline, 0});
    note(cpu, EventKind::kResumed, cpu, attempt, seen.cpus[cpu].word);
  }

  /// An AP that is up, all the way down.
  void down(CpuIndex cpu, std::uint32_t attempt) {
    take_down(cpu, attempt);
    move(cpu, cpu, {attempt, State::kDying, 0});
    move(0, cpu, {attempt, State::kUndoStarting, 0});
    note(cpu, EventKind::kResumed, cpu, attempt, seen.cpus[cpu].word);
    move(cpu, cpu, {attempt, State::kDead, 0});
    note(0, EventKind::kProven, cpu, attempt, seen.cpus[cpu].word);
    undo(0, cpu, attempt, Section::kPrepare, 0);
    note(0, EventKind::kOffline, cpu, attempt, seen.cpus[cpu].word);
  }

  /// The CP gives an attempt up where it stands, after `waited_us`.
  void give_up(CpuIndex cpu, std::uint32_t attempt, double waited_us) {
    const Word at = Word::from(seen.cpus[cpu].word);
    now += static_cast<std::uint64_t>(waited_us * 1000);
    move(0, cpu, {attempt, State::kAbandoned, at.step});
    note(0, EventKind::kTimeout, cpu, attempt, at.bits());
    if (at.state != State::kKicked)
      note(0, EventKind::kQuarantined, cpu, attempt, at.bits());
  }

  void fail(CpuIndex cpu, std::uint32_t attempt, State at, std::uint16_t step = 0) {
    note(0, EventKind::kFailed, cpu, attempt, Word{attempt, at, step}.bits(),
         abi::failed(abi::FailReason::kTimeout, 0, 0, 0));
  }

  void decided() {
    note(0, EventKind::kDecided, 0, 0);
    seen.decided_tsc = now;
  }

  /// A fault of the scenario that has fired on one CPU.
  void fault(Action action, abi::Place place, std::string text, CpuIndex cpu, HoldEnd end) {
    FaultSpec spec;
    spec.cpus = {cpu};
    spec.at = {std::move(text), GuestPlace{place}};
    spec.action = action;
    seen.faults.push_back({scenario.faults.size(), cpu, 1, true});
    Firing firing{};
    firing.fault = scenario.faults.size();
    firing.cpu = cpu;
    firing.vcpu = place == abi::Place::kKick ? 0 : cpu;
    firing.attempt = 1;
    firing.end = end;
    firing.seen_through = true;
    seen.firings.push_back(firing);
    scenario.faults.push_back(std::move(spec));
  }

  void expect_failed(CpuIndex cpu, std::string reason) {
    std::erase(scenario.expect.online, cpu);
    scenario.expect.failed[cpu] = std::move(reason);
  }

  [[nodiscard]] Verdict judged() const { return judge(scenario, seen); }

  Scenario scenario;
  Observation seen;
  std::uint64_t now;
};

/// Two APs, both up.
inline MadeRun sound_run() {
  MadeRun run(3);
  run.up(1);
  run.up(2);
  run.decided();
  return run;
}

/// What the judge says of one invariant.
inline InvariantVerdict of(const Verdict &verdict, std::string_view name) {
  for (const InvariantVerdict &invariant : verdict.invariants)
    if (invariant.name == name)
      return invariant;
  return {"no such invariant", std::nullopt, ""};
}

} // namespace reveille::vmm
