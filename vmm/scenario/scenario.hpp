// A scenario as the rest of the vmm sees it: checked, complete, defaults filled in.
#pragma once

#include "core/abi/control_page.hpp"
#include "core/abi/place.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace reveille::vmm {

using CpuIndex = std::uint32_t;

/// What a scenario is run on.
enum class Backend : std::uint8_t {
  kKvm, ///< vCPUs of KVM
  kSim, ///< simulated CPUs, in virtual time
};

/// What the arrival map of the simulated guest has room for.
inline constexpr CpuIndex kMostSimulatedCpus = 1 << 20;

/// The most CPUs that a backend takes.
[[nodiscard]] constexpr CpuIndex most_vcpus(Backend backend) {
  return backend == Backend::kSim ? kMostSimulatedCpus : abi::kMaxCpus;
}

[[nodiscard]] constexpr std::string_view name(Backend backend) {
  return backend == Backend::kSim ? "sim" : "kvm";
}

enum class ApicMode : std::uint8_t { kKernel, kSplit, kUser };
enum class X2apic : std::uint8_t { kAuto, kOn, kOff };

struct MachineSpec {
  std::uint32_t vcpus = 0; ///< CPU 0 included; at most what the backend takes
  std::uint32_t memory_mib = 0;
  ApicMode apic = ApicMode::kKernel;
  X2apic x2apic = X2apic::kAuto;
  std::uint32_t threads_per_core = 1;
};

struct BringupSpec {
  abi::Strategy strategy = abi::Strategy::kParallel;
  abi::Wait wait = abi::Wait::kHalt;
  std::uint32_t window = 0;   ///< 0: all
  double timeout_ms = 10'000; ///< of each AP turn
  std::uint32_t attempts = 1; ///< at most, per AP and cycle
  abi::Stop stop = abi::Stop::kInit;
  bool primary_threads_first = false;
  std::uint32_t cycles = 1;   ///< up, then this many less one times down and up again
  std::uint32_t max_cpus = 0; ///< CPU 0 included
};

/// Where a fault strikes.
struct GuestPlace {
  abi::Place place; ///< a point or a step, before or after, the kick, or the way down
};
struct TimePlace {
  double ms; ///< after time zero
};
/// What is sent to a CPU to start it, and to stop it.
enum class Delivery : std::uint8_t { kInit, kSipi, kSipi2, kStop };
struct DeliveryPlace {
  Delivery what;
};
/// An instruction of the guest.
struct CodePlace {
  std::string symbol;       ///< empty: the offset is a linear address
  std::uint64_t offset = 0; ///< from the symbol, bytes
  std::string told_as{};    ///< what messages call the key that has it: "x.toml:7:6: fault.0.at"; or nothing

  friend bool operator==(const CodePlace &a, const CodePlace &b) {
    return a.symbol == b.symbol && a.offset == b.offset;
  }
};
struct ExitPlace {
  std::uint32_t number; ///< the vCPU's Nth exit to the host, from 1
};
struct FirmwarePlace {};

struct FaultPlace {
  std::string text; ///< as the scenario writes it: "alive.released", "step:timer", "time:20"
  std::variant<GuestPlace, TimePlace, DeliveryPlace, CodePlace, ExitPlace, FirmwarePlace> where;
};

enum class Action : std::uint8_t {
  kDelay,
  kStall,
  kFreeze,
  kCrash,
  kFail,
  kThrottle,
  kReset,
  kNmi,
  kInterrupt,
  kJump,
  kSpuriousSipi,
  kDrop,
  kDuplicate,
  kRedirect,
  kWrongVector,
  kEarlySipi,
  kLateInit,
  kFlip,
  kStale,
  kGarbage,
  kGhost,
  kUnlisted,
  kDisabled,
  kSameId,
  kSwapId,
  kSkew,
};

[[nodiscard]] constexpr bool is_one_of(Action action, std::initializer_list<Action> actions) {
  for (const Action each : actions)
    if (each == action)
      return true;
  return false;
}

struct FaultSpec {
  std::vector<CpuIndex> cpus; ///< sorted, without duplicates; "random:K" already drawn
  FaultPlace at;
  Action action = Action::kDelay;
  double duration_ms = 0;    ///< delay, late-init: > 0; stall, freeze, throttle: 0 is for ever
  int error = -11;           ///< of fail: what the step returns, -4095..-1
  std::uint32_t percent = 0; ///< of throttle: the share that is left, 1..99
  std::uint8_t vector = 0;   ///< of interrupt, spurious-sipi and wrong-vector
  CodePlace target{};        ///< of jump
  CpuIndex to = 0;           ///< of redirect, same-id and swap-id
  std::uint64_t bits = 0;    ///< of flip: a mask
  double skew_us = 0;        ///< of skew
  std::uint32_t attempt = 1; ///< of a cycle; 0: every
  std::uint32_t cycle = 1;   ///< 0: every
  std::uint32_t count = 1;   ///< firings on each CPU
  double probability = 1.0;  ///< of each firing

  [[nodiscard]] bool strikes(CpuIndex cpu) const { return std::binary_search(cpus.begin(), cpus.end(), cpu); }

  /// Whether it keeps its vCPU where it is, for a time.
  [[nodiscard]] bool holds() const {
    return is_one_of(action, {Action::kDelay, Action::kStall, Action::kFreeze}) &&
           !std::holds_alternative<DeliveryPlace>(at.where);
  }

  /// Whether the CPU never comes back from it by itself. One whose word the host has written loses
  /// its next swap, and rests.
  [[nodiscard]] bool endless() const {
    return is_one_of(action, {Action::kCrash, Action::kReset, Action::kFlip, Action::kStale}) ||
           (holds() && action != Action::kDelay && duration_ms == 0);
  }
};

/// How long one thing takes on some CPUs of the simulated machine.
struct LatencySpec {
  std::vector<CpuIndex> cpus;
  std::string at; ///< as the scenario writes it: "alive", "step:timer"
  abi::Place place{};
  double us = 0;
};

/// How long things take on the simulated machine, microseconds. docs/scenario.md says where the
/// defaults come from.
struct SimSpec {
  double prepare_us = 350; ///< a PREPARE step, on the control CPU
  double kick_us = 20;     ///< INIT, SIPI, SIPI, on the control CPU
  double wake_us = 250;    ///< from the SIPI to the claim
  double boot_us = 100;    ///< from the claim to alive
  double step_us = 10;     ///< a step on an AP
  double ipi_us = 2;       ///< from an interrupt's sending to its handler
  double serve_us = 2;     ///< the control CPU's work for one arrival
  double jitter = 0.25;    ///< how far each time is off its figure at most, as a fraction
  std::vector<LatencySpec> latencies;
};

/// What the run must show. A requested CPU in neither `online` nor `failed` (the file gives
/// `online` alone, without it) must fail, with whatever reason.
struct ExpectSpec {
  std::vector<CpuIndex> online;           ///< sorted
  std::map<CpuIndex, std::string> failed; ///< reason@place
  std::optional<double> within_ms;
  std::map<CpuIndex, std::uint32_t> attempts; ///< the most that a cycle needed
};

struct Scenario {
  std::string file;  ///< as it was named; "-" for standard input
  std::string title; ///< at most 120 characters
  Backend backend = Backend::kKvm;
  MachineSpec machine;
  BringupSpec bringup;
  SimSpec sim;
  std::vector<FaultSpec> faults;
  ExpectSpec expect; ///< always complete: what was left out has been derived
  std::uint64_t seed = 0;
  std::vector<std::string> overrides; ///< the --set options that have gone into it
  std::string guest;                  ///< the image that was asked for; empty: the one beside the vmm
};

} // namespace reveille::vmm
