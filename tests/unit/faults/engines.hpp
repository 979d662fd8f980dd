// Fault engines for tests: faults made in code, and the states of CPUs.
#pragma once

#include "vmm/faults/engine.hpp"

#include <string>
#include <utility>
#include <vector>

namespace reveille::vmm {

inline FaultSpec fault_at(abi::Place place, Action action, double duration_ms,
                          std::vector<CpuIndex> cpus = {1}) {
  FaultSpec spec;
  spec.cpus = std::move(cpus);
  spec.at = {"somewhere", GuestPlace{place}};
  spec.action = action;
  spec.duration_ms = duration_ms;
  return spec;
}

inline FaultSpec fault_in_time(double ms, std::vector<CpuIndex> cpus = {1}) {
  FaultSpec spec = fault_at(abi::Place::kAlive, Action::kStall, 0, std::move(cpus));
  spec.at = {"time:" + std::to_string(ms), TimePlace{ms}};
  return spec;
}

inline FaultEngine engine_of(std::vector<FaultSpec> faults) {
  Scenario scenario;
  scenario.machine.vcpus = 4;
  scenario.faults = std::move(faults);
  return {scenario, Roster(scenario)};
}

/// A sync word of that attempt.
inline std::uint64_t word(std::uint32_t attempt) {
  return abi::Word{attempt, abi::State::kStarting, 0}.bits();
}

constexpr std::uint64_t bit(abi::Place place) { return std::uint64_t{1} << static_cast<unsigned>(place); }

inline FaultEngine::CpuState with(abi::Word word, bool decided, bool online = false,
                                  AttemptOf attempt = {1, 1}) {
  return {decided, online, word.bits(), attempt, false};
}

} // namespace reveille::vmm
