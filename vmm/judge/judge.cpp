#include "vmm/judge/differences.hpp"
#include "vmm/judge/invariants.hpp"
#include "vmm/judge/outcomes.hpp"
#include "vmm/judge/verdict.hpp"

#include <algorithm>
#include <array>

namespace reveille::vmm {

namespace {

std::string blind_to_siblings(const JudgeContext &context) {
  return context.scenario.bringup.primary_threads_first ? ""
                                                        : "judged where primary_threads_first is asked for";
}

constexpr std::array<InvariantRow, 21> kInvariants = {{
    // clang-format off
    {"legal-transitions",      "every change of a sync word is in the table, made by its owner", look_legal_transitions, true},
    {"matched-release",        "each release answers an arrival of the same attempt", look_matched_release, true},
    {"steps-in-order",         "steps run in order, once, after the release from alive, STARTING with interrupts off", look_steps_in_order, true},
    {"late-harmless",          "a late AP changes nothing but its own park", look_late_harmless, true},
    {"proven-or-quarantined",  "nothing that an unproven attempt can reach is undone", look_proven_or_quarantined, true},
    {"single-owner",           "an area has at most one owner, the ID map is one to one", look_single_owner, true},
    {"unknown-refused",        "an AP that may not claim touches nothing", look_unknown_refused, true},
    {"visible-before",         "what was written before the kick, or before alive, is seen", look_visible_before, true},
    {"online-window",          "a CPU counts as online exactly between online and dying", look_online_window, true},
    {"one-writer",             "a CPU's state is advanced only by its owner, and completed once", look_one_writer, true},
    {"bounded-waits",          "every wait ends within its bound, and no AP's turn before it", look_bounded_waits, false},
    {"dead-cost",              "dead APs cost what the strategy allows", look_dead_cost, true},
    {"no-crosstalk",           "one CPU's failure changes no other CPU's outcome", look_no_crosstalk, true, blind_to_crosstalk},
    {"exact-undo",             "a failure undoes exactly what was done, in reverse", look_exact_undo, true},
    {"injected-exactly",       "a fault fires as often as asked, and then not again", look_injected_exactly, false},
    {"siblings-after-primary", "a sibling is kicked only after its primary", look_siblings_after_primary, true, blind_to_siblings},
    {"tsc-two-parties",        "a TSC rendezvous has exactly two parties", look_tsc_two_parties, true},
    {"no-self-init",           "the CP sends no INIT to itself or to nobody", look_no_self_init, true},
    {"accounted",              "requested = online + failed, the rest not attempted", look_accounted, true},
    {"spurious-ignored",       "a spurious wake or SIPI changes nothing", look_spurious_ignored, true},
    {"nothing-freed-early",    "what late APs need outlives them", look_nothing_freed_early, true, blind_to_kept_memory},
    // clang-format on
}};

std::optional<double> last_active_us(const Verdict &verdict) {
  std::optional<double> last;
  for (const CpuVerdict &cpu : verdict.cpus)
    if (const auto &active = cpu.points.arrived[static_cast<std::size_t>(protocol::Point::kActive)])
      last = std::max(last.value_or(*active), *active);
  return last;
}

} // namespace

std::span<const InvariantRow> all_invariants() { return kInvariants; }

std::vector<std::string_view> invariant_names() {
  std::vector<std::string_view> names;
  names.reserve(kInvariants.size());
  for (const InvariantRow &row : kInvariants)
    names.push_back(row.name);
  return names;
}

std::vector<InvariantVerdict> judge_invariants(const JudgeContext &context) {
  std::vector<InvariantVerdict> verdicts;
  for (const InvariantRow &row : kInvariants) {
    InvariantVerdict verdict{row.name, std::nullopt, row.blind == nullptr ? "" : row.blind(context)};
    if (verdict.evidence.empty() && row.from_events)
      verdict.evidence = context.evidence.gap();
    if (verdict.evidence.empty()) {
      const Finding bad = row.look(context);
      verdict.holds = !bad;
      verdict.evidence = bad.value_or("");
    }
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

Verdict judge(const Scenario &scenario, const Observation &seen) {
  const Evidence evidence(seen);
  Verdict verdict;
  verdict.cpus = judge_cpus(scenario, evidence);
  verdict.gap = evidence.gap();
  verdict.bringup_us = last_active_us(verdict);
  if (seen.decided_tsc != 0)
    verdict.decided_us = seen.us(seen.decided_tsc);
  verdict.invariants = judge_invariants({scenario, evidence, verdict.cpus});
  verdict.differences = find_differences(scenario, evidence, verdict);
  const bool broken = std::any_of(verdict.invariants.begin(), verdict.invariants.end(),
                                  [](const InvariantVerdict &i) { return i.holds == false; });
  if (seen.end == RunEnd::kInterrupted) {
    verdict.kind = VerdictKind::kInterrupted;
    verdict.exit = ExitStatus::kInterrupted;
  } else if (broken || seen.end == RunEnd::kRefused) {
    verdict.kind = VerdictKind::kBroken;
    verdict.exit = ExitStatus::kBroken;
  } else if (!verdict.differences.empty()) {
    verdict.kind = VerdictKind::kFail;
    verdict.exit = ExitStatus::kDiffers;
  }
  return verdict;
}

} // namespace reveille::vmm
