// What the judge makes of an observation: what the reports print.
#pragma once

#include "core/protocol/points.hpp"
#include "vmm/base/error.hpp"
#include "vmm/judge/observation.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace reveille::vmm {

enum class CpuOutcome : std::uint8_t { kOnline, kFailed, kNotAttempted };

/// Times of the last attempt, microseconds from time zero.
struct PointTimes {
  std::optional<double> kick;
  std::array<std::optional<double>, protocol::kPointCount> arrived;
  std::array<std::optional<double>, protocol::kPointCount> resumed; ///< not of active
};

struct CpuVerdict {
  CpuIndex cpu = 0;
  std::uint32_t apic_id = 0;
  CpuOutcome outcome = CpuOutcome::kNotAttempted;
  std::string reason; ///< "timeout@alive"; empty unless failed
  std::uint32_t attempts = 0;
  std::uint32_t quarantined = 0; ///< attempts whose resources are still held
  PointTimes points;
  std::optional<std::int64_t> skew_ticks; ///< of the TSC rendezvous; empty: unknown
  std::uint64_t skew_resolution = 0;      ///< ticks
};

struct InvariantVerdict {
  std::string_view name;
  std::optional<bool> holds; ///< empty: not judged
  std::string evidence;      ///< when broken: what was seen; when not judged: why
};

enum class VerdictKind : std::uint8_t { kPass, kFail, kBroken, kInterrupted };

struct Verdict {
  VerdictKind kind = VerdictKind::kPass;
  ExitStatus exit = ExitStatus::kAsExpected;
  std::vector<CpuVerdict> cpus;
  std::vector<InvariantVerdict> invariants;
  std::vector<std::string> differences;
  std::string gap;                  ///< why the rings do not tell all, if they do not
  std::optional<double> bringup_us; ///< time zero to the last active
  std::optional<double> decided_us; ///< time zero to the last CPU decided
};

/// The names of all invariants, in the order in which they are reported.
[[nodiscard]] std::vector<std::string_view> invariant_names();

/// Judges a run.
[[nodiscard]] Verdict judge(const Scenario &scenario, const Observation &seen);

} // namespace reveille::vmm
