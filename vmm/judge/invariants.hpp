// The invariants by name, and how each is judged from what a run has shown.
#pragma once

#include "vmm/judge/evidence.hpp"
#include "vmm/judge/verdict.hpp"

#include <span>
#include <string>
#include <string_view>

namespace reveille::vmm {

struct JudgeContext {
  const Scenario &scenario;
  const Evidence &evidence;
  std::span<const CpuVerdict> cpus;
};

/// Nothing seen against it; or the first thing that was.
using Finding = std::optional<std::string>;

struct InvariantRow {
  std::string_view name;
  std::string_view what; ///< in one sentence
  Finding (*look)(const JudgeContext &);
  bool from_events; ///< needs complete event rings
  std::string (*blind)(const JudgeContext &) =
      nullptr; ///< why it cannot be judged in this run; empty: it can
};

[[nodiscard]] std::span<const InvariantRow> all_invariants();

[[nodiscard]] std::vector<InvariantVerdict> judge_invariants(const JudgeContext &context);

// How each is looked at: order of events (invariants_order.cpp), accounts (invariants_account.cpp),
// what comes of a start (invariants_start.cpp), and memory (invariants_memory.cpp).
Finding look_legal_transitions(const JudgeContext &context);
Finding look_matched_release(const JudgeContext &context);
Finding look_steps_in_order(const JudgeContext &context);
Finding look_late_harmless(const JudgeContext &context);
Finding look_proven_or_quarantined(const JudgeContext &context);
Finding look_exact_undo(const JudgeContext &context);
Finding look_siblings_after_primary(const JudgeContext &context);
Finding look_tsc_two_parties(const JudgeContext &context);
Finding look_single_owner(const JudgeContext &context);
Finding look_online_window(const JudgeContext &context);
Finding look_one_writer(const JudgeContext &context);
Finding look_bounded_waits(const JudgeContext &context);
Finding look_dead_cost(const JudgeContext &context);
Finding look_no_crosstalk(const JudgeContext &context);
Finding look_injected_exactly(const JudgeContext &context);
Finding look_no_self_init(const JudgeContext &context);
Finding look_accounted(const JudgeContext &context);
Finding look_unknown_refused(const JudgeContext &context);
Finding look_spurious_ignored(const JudgeContext &context);
Finding look_visible_before(const JudgeContext &context);
Finding look_nothing_freed_early(const JudgeContext &context);

/// Why what the guest keeps for ever cannot be looked at in this run; empty: it can.
std::string blind_to_kept_memory(const JudgeContext &context);
/// Why it cannot be told whether one CPU's failure is another's doing; empty: it can.
std::string blind_to_crosstalk(const JudgeContext &context);

} // namespace reveille::vmm
