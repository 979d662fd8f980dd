#include "vmm/report/summary.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/report/shell.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMaxDifferences = 20;

std::size_t count_of(const Verdict &verdict, CpuOutcome outcome) {
  return static_cast<std::size_t>(std::ranges::count(verdict.cpus, outcome, &CpuVerdict::outcome));
}

std::size_t broken_of(const Verdict &verdict) {
  return static_cast<std::size_t>(
      std::ranges::count(verdict.invariants, std::optional(false), &InvariantVerdict::holds));
}

Ink ink_of(VerdictKind kind) {
  switch (kind) {
  case VerdictKind::kPass:
    return Ink::kGood;
  case VerdictKind::kInterrupted:
    return Ink::kWarn;
  default:
    return Ink::kBad;
  }
}

std::string upper(std::string_view text) {
  std::string big(text);
  for (char &c : big)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return big;
}

/// What makes it other than a pass.
std::string why(const Verdict &verdict) {
  const std::size_t differences = verdict.differences.size();
  switch (verdict.kind) {
  case VerdictKind::kPass:
    return {};
  case VerdictKind::kInterrupted:
    return "; interrupted";
  case VerdictKind::kBroken:
    if (const std::size_t broken = broken_of(verdict); broken != 0)
      return fmt::format("; {} broken", counted(broken, "invariant"));
    return "; the lab itself failed";
  case VerdictKind::kFail:
    break;
  }
  return fmt::format("; {} from what was expected", counted(differences, "difference"));
}

std::string rerun(const Scenario &scenario) {
  std::string command = fmt::format("vmm run {}", shell_quoted(scenario.file));
  for (const std::string &change : scenario.overrides)
    command += " --set " + shell_quoted(change);
  if (scenario.backend != Backend::kKvm)
    command += fmt::format(" --backend {}", name(scenario.backend));
  if (scenario.seed != 0)
    command += fmt::format(" --seed {}", scenario.seed);
  if (!scenario.guest.empty())
    command += " --guest " + shell_quoted(scenario.guest);
  return command;
}

/// A CPU that was given up for its time, although no fault touched it.
const CpuVerdict *slow_cpu(const Observation &seen, const Verdict &verdict) {
  const auto untouched = [&](const CpuVerdict &cpu) {
    return cpu.outcome == CpuOutcome::kFailed && cpu.reason.starts_with("timeout@") &&
           std::ranges::none_of(seen.firings, [&](const Firing &f) { return f.cpu == cpu.cpu; }) &&
           std::ranges::none_of(seen.crashes, [&](const CrashEvidence &c) { return c.cpu == cpu.cpu; });
  };
  const auto found = std::ranges::find_if(verdict.cpus, untouched);
  return found == verdict.cpus.end() ? nullptr : &*found;
}

const FaultAccount *silent_fault(const Scenario &scenario, const Observation &seen) {
  const auto silent = [&](const FaultAccount &a) {
    return a.fired == 0 && a.fault < scenario.faults.size() && scenario.faults[a.fault].probability >= 1;
  };
  const auto found = std::ranges::find_if(seen.faults, silent);
  return found == seen.faults.end() ? nullptr : &*found;
}

std::string advice_on_failure(const Scenario &scenario, const Observation &seen, const Verdict &verdict) {
  if (const FaultAccount *fault = silent_fault(scenario, seen))
    return fmt::format(
        "fault {} ({}) never fired on CPU {}: it did not get there in the attempt that the fault "
        "waits for, or the run was over first. See what it reached with {} --log-level debug",
        fault->fault, fault_text(scenario.faults[fault->fault]), fault->cpu, rerun(scenario));
  if (const CpuVerdict *cpu = slow_cpu(seen, verdict))
    return fmt::format("no fault touched CPU {}; if the host was merely slow, more time helps: {} --set "
                       "bringup.timeout_ms={}",
                       cpu->cpu, rerun(scenario), std::min(scenario.bringup.timeout_ms * 4, 600'000.0));
  return rerun(scenario) + " --log-level debug";
}

} // namespace

std::string verdict_line(const Style &style, const Scenario &scenario, const Verdict &verdict) {
  const std::size_t online = count_of(verdict, CpuOutcome::kOnline);
  const std::size_t failed = count_of(verdict, CpuOutcome::kFailed);
  const std::string word = upper(name(verdict.kind));
  std::string text = fmt::format("{} of {} online", online, scenario.bringup.max_cpus);
  if (verdict.bringup_us)
    text += " in " + ms_text(*verdict.bringup_us);
  if (failed != 0) {
    text += fmt::format(", {} failed", failed);
    text += verdict.kind == VerdictKind::kPass ? " as expected" : "";
    if (verdict.decided_us)
      text += fmt::format(", decided in {}", ms_text(*verdict.decided_us));
  }
  text = wrap(word + "  ", text + why(verdict), style.width);
  return paint(style, ink_of(verdict.kind), word) + text.substr(word.size());
}

std::string differences_text(const Style &style, const Verdict &verdict) {
  std::string text;
  const std::size_t shown = std::min(verdict.differences.size(), kMaxDifferences);
  for (std::size_t i = 0; i < shown; ++i)
    text += wrap("  differs: ", printable(verdict.differences[i]), style.width);
  if (shown < verdict.differences.size())
    text += fmt::format("  and {}: the JSON result (--json) has them\n",
                        counted(verdict.differences.size() - shown, "more difference"));
  return text;
}

std::string invariants_text(const Style &style, const Verdict &verdict) {
  std::size_t hold = 0;
  std::size_t not_judged = 0;
  std::string broken;
  for (const InvariantVerdict &invariant : verdict.invariants) {
    hold += invariant.holds == true ? 1 : 0;
    not_judged += invariant.holds ? 0 : 1;
    if (invariant.holds == false)
      broken += paint(style, Ink::kBad,
                      wrap("  broken: ", fmt::format("{}: {}", invariant.name, printable(invariant.evidence)),
                           style.width));
  }
  if (verdict.invariants.empty())
    return "invariants: none judged\n";
  std::string text = fmt::format("invariants: {} hold", hold);
  if (!broken.empty())
    text += fmt::format(", {} broken", broken_of(verdict));
  if (not_judged != 0)
    text += fmt::format(", {} not judged", not_judged);
  return text + '\n' + broken;
}

std::string advice(const Style &style, const Scenario &scenario, const Observation &seen,
                   const Verdict &verdict) {
  std::string text;
  switch (verdict.kind) {
  case VerdictKind::kPass:
  case VerdictKind::kInterrupted:
    return {};
  case VerdictKind::kBroken:
    text = fmt::format("keep the evidence: {} --log-level debug --json broken.json", rerun(scenario));
    break;
  case VerdictKind::kFail:
    text = advice_on_failure(scenario, seen, verdict);
    break;
  }
  return wrap("next: ", text, style.width);
}

} // namespace reveille::vmm
