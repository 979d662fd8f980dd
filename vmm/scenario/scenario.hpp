// A scenario as the rest of the vmm sees it: checked, complete, defaults filled in.
#pragma once

#include "core/abi/control_page.hpp"
#include "core/abi/place.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace reveille::vmm {

using CpuIndex = std::uint32_t;

enum class ApicMode : std::uint8_t { kKernel };
enum class X2apic : std::uint8_t { kAuto, kOn, kOff };

struct MachineSpec {
  std::uint32_t vcpus = 0; ///< 1..1024, CPU 0 included
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
  std::uint32_t attempts = 1;
  abi::Stop stop = abi::Stop::kInit;
  std::uint32_t max_cpus = 0; ///< CPU 0 included
};

/// Where a fault strikes, as far as this version supports it.
struct GuestPlace {
  abi::Place place; ///< a point, before or after its hand-over, or the kick
};
struct TimePlace {
  double ms; ///< after time zero
};

struct FaultPlace {
  std::string text; ///< as the scenario writes it: "alive.released", "time:20"
  std::variant<GuestPlace, TimePlace> where;
};

enum class Action : std::uint8_t { kDelay, kStall, kFreeze, kCrash };

struct FaultSpec {
  std::vector<CpuIndex> cpus; ///< sorted, without duplicates; "random:K" already drawn
  FaultPlace at;
  Action action = Action::kDelay;
  double duration_ms = 0;    ///< delay: > 0; stall and freeze: 0 is for ever
  std::uint32_t attempt = 1; ///< of a cycle; 0: every
  std::uint32_t cycle = 1;   ///< 0: every
  std::uint32_t count = 1;   ///< firings on each CPU
  double probability = 1.0;

  /// Whether the CPU never comes back from it by itself.
  [[nodiscard]] bool endless() const {
    return action == Action::kCrash || (action != Action::kDelay && duration_ms == 0);
  }
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
  MachineSpec machine;
  BringupSpec bringup;
  std::vector<FaultSpec> faults;
  ExpectSpec expect; ///< always complete: what was left out has been derived
  std::uint64_t seed = 0;
  std::vector<std::string> overrides; ///< the --set options that have gone into it
};

} // namespace reveille::vmm
