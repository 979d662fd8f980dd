#include "vmm/report/text.hpp"

#include "vmm/base/printable.hpp"
#include "vmm/report/critical.hpp"
#include "vmm/report/faults.hpp"
#include "vmm/report/summary.hpp"
#include "vmm/report/timeline.hpp"
#include "vmm/report/tree.hpp"
#include "vmm/report/where_is_it.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

std::string heading(const Style &style, const Scenario &scenario) {
  const BringupSpec &b = scenario.bringup;
  std::string text = paint(style, Ink::kBold, printable(scenario.title)) + '\n';
  std::string what = fmt::format("{}, {}, wait = {}, timeout {} ms", counted(scenario.machine.vcpus, "vCPU"),
                                 name(b.strategy), name(b.wait), b.timeout_ms);
  if (scenario.backend == Backend::kSim)
    what += ", simulated";
  if (b.window != 0)
    what += fmt::format(", window {}", b.window);
  if (b.attempts != 1)
    what += fmt::format(", {} attempts", b.attempts);
  if (b.primary_threads_first)
    what += ", primary threads first";
  if (b.cycles != 1)
    what += fmt::format(", {} cycles", b.cycles);
  what += "; ms from time zero";
  if (b.attempts != 1 || b.cycles != 1)
    what += ", of the last attempt";
  return text + paint(style, Ink::kDim, wrap("", what, style.width)) + '\n';
}

/// How the run ended, when not of itself.
std::string end_text(const Style &style, const Observation &seen) {
  std::string_view what;
  switch (seen.end) {
  case RunEnd::kComplete:
    return {};
  case RunEnd::kBound:
    what = "the run's bound expired";
    break;
  case RunEnd::kControlDied:
    what = "the control CPU died";
    break;
  case RunEnd::kInterrupted:
    what = "the run was interrupted";
    break;
  case RunEnd::kRefused:
    what = "the guest refused this machine";
    break;
  }
  // The detail, where there is one, says it all.
  const std::string text = seen.end_detail.empty() ? std::string(what) : printable(seen.end_detail);
  return paint(style, Ink::kWarn, wrap("", text, style.width));
}

/// Crashes of CPUs that have no paragraph: those that came up first, and the control CPU.
std::string other_crashes(const Style &style, const Observation &seen, const Verdict &verdict) {
  std::string text;
  for (const CrashEvidence &crash : seen.crashes) {
    const bool has_paragraph =
        crash.cpu < verdict.cpus.size() && verdict.cpus[crash.cpu].outcome == CpuOutcome::kFailed;
    if (!has_paragraph)
      text +=
          wrap("", fmt::format("CPU {} died: {}{}", crash.cpu, printable(crash.what), at_rip_text(crash.rip)),
               style.width);
  }
  return text;
}

/// What the rings do not tell: events that found no room, or what no guest of ours has written.
std::string lost_events(const Style &style, const Observation &seen, const Verdict &verdict) {
  std::vector<CpuIndex> cpus;
  std::uint64_t lost = 0;
  for (CpuIndex cpu = 0; cpu < seen.cpus.size(); ++cpu) {
    lost += seen.cpus[cpu].lost_events;
    if (seen.cpus[cpu].lost_events != 0)
      cpus.push_back(cpu);
  }
  if (cpus.empty() && verdict.gap.empty())
    return {};
  if (cpus.empty())
    return paint(style, Ink::kWarn,
                 wrap("", printable(verdict.gap) + "; what rests on the rings is not judged", style.width));
  return paint(
      style, Ink::kWarn,
      wrap("",
           fmt::format("events lost: {} of {}; what rests on them is not judged", lost, cpus_text(cpus, 60)),
           style.width));
}

std::string paragraph(const std::string &text) { return text.empty() ? text : '\n' + text; }

} // namespace

std::string report_text(const Style &style, const Scenario &scenario, const Observation &seen,
                        const Verdict &verdict) {
  std::string text = heading(style, scenario) + timeline_text(style, seen, verdict);
  text += paragraph(tree_text(style, scenario, seen));
  text += paragraph(faults_text(style, scenario, seen));
  text += paragraph(where_are_they(style, scenario, seen, verdict));
  text += paragraph(end_text(style, seen) + other_crashes(style, seen, verdict) +
                    lost_events(style, seen, verdict));
  const Chain chain = critical_chain(scenario, seen, verdict);
  text += paragraph(chain_text(style, chain, seen.steps) + blame_text(style, scenario, chain, seen));
  text += verdict_line(style, scenario, verdict);
  text += differences_text(style, verdict);
  text += invariants_text(style, verdict);
  return text + advice(style, scenario, seen, verdict);
}

void print_report(std::FILE *out, const Style &style, const Scenario &scenario, const Observation &seen,
                  const Verdict &verdict) {
  const std::string text = report_text(style, scenario, seen, verdict);
  // A reader that went away (a closed pipe) is no failure of the run.
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), out));
  static_cast<void>(std::fflush(out));
}

} // namespace reveille::vmm
