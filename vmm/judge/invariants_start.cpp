// Invariants about starts: what comes of one that may not claim, and of a wake that nobody asked for.
#include "vmm/judge/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace reveille::vmm {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Word;

namespace {

const FaultSpec &spec_of(const JudgeContext &context, const Firing &firing) {
  return context.scenario.faults[firing.fault];
}

bool is_claim(const Event &event) {
  return event.kind == EventKind::kMoved && Word::from(event.a).state == State::kKicked &&
         Word::from(event.b).state == State::kClaimed;
}

} // namespace

namespace {

/// Who the guest does not know cannot have been kicked, and nothing of it is written.
Finding look_unknown_cpus(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    const CpuObservation &of = seen.cpus[cpu];
    if (is_found(of.presence))
      continue;
    if (of.word != 0)
      return fmt::format("the guest has not been told of CPU {}, and its word is {:#x}", cpu, of.word);
    if (!of.events.empty())
      return fmt::format("the guest has not been told of CPU {}, and it has written {} events", cpu,
                         of.events.size());
  }
  return std::nullopt;
}

/// Only an attempt that it has claimed lets an AP write anything. It writes what it has found at the
/// claim first, and then the claim.
Finding look_unclaimed_events(const JudgeContext &context, CpuIndex cpu) {
  std::set<std::uint32_t> claimed;
  for (const Noted &note : context.evidence.by_itself(cpu)) {
    const Event &event = note.event;
    if (event.kind == EventKind::kClaimFailed)
      return fmt::format("CPU {} has written down that it may not claim, with the word {:#x}", cpu, event.a);
    if (is_claim(event) || event.kind == EventKind::kFound)
      claimed.insert(event.attempt);
    else if (event.kind != EventKind::kPanic && !claimed.contains(event.attempt))
      return fmt::format("CPU {} wrote event {} in attempt {}, which it had not claimed", cpu, note.index,
                         event.attempt);
  }
  return std::nullopt;
}

} // namespace

Finding look_unknown_refused(const JudgeContext &context) {
  const Observation &seen = context.evidence.seen();
  for (const RefusedStart &start : seen.refused)
    if (!start.touched.empty())
      return fmt::format("CPU {} was started and could not claim, and has changed {}", start.cpu,
                         start.touched);
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu) {
    if (Finding bad = look_unclaimed_events(context, cpu))
      return bad;
    const auto &shot = seen.cpus[cpu].vcpu;
    if (shot && shot->refused && shot->rsp != 0) // an INIT clears it (SDM vol. 3A, table 10-1)
      return fmt::format("CPU {} could not claim, and stands on a stack at {:#x}", cpu, shot->rsp);
  }
  return look_unknown_cpus(context);
}

namespace {

/// Whether the CPU that was struck runs with handlers of its own, and no INIT is on its way to it: nothing
/// but a release moves it then.
bool is_outside_wait_for_sipi(const JudgeContext &context, const Firing &firing) {
  if (firing.vcpu == 0)
    return true;
  const State state = Word::from(firing.word).state;
  const bool is_claimed = Word::is_valid(firing.word) && state >= State::kClaimed && state < State::kDead;
  const bool stands_at_a_place = std::holds_alternative<GuestPlace>(spec_of(context, firing).at.where);
  return firing.vcpu == firing.cpu && is_claimed && (state != State::kClaimed || stands_at_a_place);
}

bool is_second_sipi(const FaultSpec &fault) {
  const auto *at = std::get_if<DeliveryPlace>(&fault.at.where);
  return fault.action == Action::kDuplicate && at != nullptr &&
         (at->what == Delivery::kSipi || at->what == Delivery::kSipi2);
}

/// Whether a firing is to change nothing at all.
bool is_spurious(const JudgeContext &context, const Firing &firing) {
  const FaultSpec &fault = spec_of(context, firing);
  if (is_second_sipi(fault))
    return true;
  return is_outside_wait_for_sipi(context, firing) &&
         is_one_of(fault.action, {Action::kNmi, Action::kInterrupt, Action::kSpuriousSipi});
}

/// How many firings may have sent each CPU an INIT, by CPU.
std::vector<std::size_t> inits_by_faults(const JudgeContext &context) {
  std::vector<std::size_t> sent(context.evidence.cpus(), 0);
  const auto count = [&](CpuIndex cpu) {
    if (cpu < sent.size())
      ++sent[cpu];
  };
  for (const Firing &firing : context.evidence.seen().firings) {
    const FaultSpec &fault = spec_of(context, firing);
    if (std::holds_alternative<DeliveryPlace>(fault.at.where) && !is_second_sipi(fault)) {
      count(firing.cpu);
      if (fault.action == Action::kRedirect && fault.to != firing.cpu)
        count(fault.to);
    } else if (fault.action == Action::kReset) {
      count(firing.vcpu);
    }
  }
  return sent;
}

/// When INITs were sent to a CPU by control CPUs, in order, and those of its kicks by their attempts.
struct Inits {
  std::vector<std::uint64_t> times;
  std::map<std::uint32_t, std::uint64_t> kicks;
};

Inits inits_of(const JudgeContext &context, CpuIndex cpu) {
  Inits inits;
  for (const Noted &note : context.evidence.by_control(cpu)) {
    const bool is_kick = note.event.kind == EventKind::kKick;
    if (is_kick || note.event.kind == EventKind::kStop)
      inits.times.push_back(note.event.tsc);
    if (is_kick)
      inits.kicks.emplace(note.event.attempt, note.event.tsc);
  }
  std::sort(inits.times.begin(), inits.times.end());
  return inits;
}

/// When an attempt was begun, by the clock of the control CPUs: not before its kick, whatever the CPU's own
/// clock says, which need not be in step with theirs.
std::uint64_t begun_at(const Inits &inits, const Event &claim) {
  const auto kick = inits.kicks.find(claim.attempt);
  return kick == inits.kicks.end() ? claim.tsc : std::max(claim.tsc, kick->second);
}

/// The further SIPI of each kick, and any other, starts no CPU that does not wait for one: it begins at
/// most once for each INIT, those that faults may have sent included.
Finding look_starts(const JudgeContext &context, CpuIndex cpu, std::size_t by_faults) {
  const Observation &seen = context.evidence.seen();
  const Inits inits = inits_of(context, cpu);
  std::vector<std::uint64_t> starts;
  std::set<std::uint32_t> claimed;
  for (const Noted &note : context.evidence.by_itself(cpu)) {
    if (!is_claim(note.event))
      continue;
    if (!claimed.insert(note.event.attempt).second)
      return fmt::format("CPU {} has begun attempt {} twice", cpu, note.event.attempt);
    starts.push_back(begun_at(inits, note.event));
  }
  for (const RefusedStart &start : seen.refused)
    if (start.cpu == cpu)
      starts.push_back(start.tsc);
  if (const auto &shot = seen.cpus[cpu].vcpu; shot && shot->refused && seen.refused.empty())
    starts.push_back(std::numeric_limits<std::uint64_t>::max());
  std::sort(starts.begin(), starts.end());
  std::size_t sent = 0;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    while (sent < inits.times.size() && inits.times[sent] <= starts[i])
      ++sent;
    if (sent + by_faults < i + 1)
      return fmt::format("CPU {} has begun {} times, and {} INITs were sent to it", cpu, i + 1,
                         sent + by_faults);
  }
  return std::nullopt;
}

std::string name_of(const JudgeContext &context, const Firing &firing) {
  return fmt::format("fault {} at {}", firing.fault, spec_of(context, firing).at.text);
}

/// An attempt in which only what is to change nothing was done comes to what it would have.
Finding look_struck_in_vain(const JudgeContext &context, const Firing &firing) {
  const Evidence &evidence = context.evidence;
  if (!evidence.crashes(firing.vcpu).empty())
    return fmt::format("CPU {} died of {}, which is to change nothing", firing.vcpu,
                       name_of(context, firing));
  for (const Noted &note : evidence.by_control(firing.cpu))
    if (note.event.kind == EventKind::kTimeout && note.event.attempt == firing.attempt)
      return fmt::format("CPU {} came to nothing in attempt {} behind {}, which is to change nothing",
                         firing.cpu, firing.attempt, name_of(context, firing));
  return std::nullopt;
}

/// A wake is a hint: an AP goes on with what was released, and nothing else.
Finding look_early_resumes(const JudgeContext &context, const Firing &firing) {
  const auto &moves = context.evidence.moves(firing.cpu);
  for (const Noted &note : context.evidence.by_itself(firing.cpu)) {
    if (note.event.kind != EventKind::kResumed || note.event.attempt != firing.attempt)
      continue;
    if (std::none_of(moves.begin(), moves.end(), [&](const Move &move) {
          return move.writer != firing.cpu && move.to.bits() == note.event.a;
        }))
      return fmt::format("CPU {} went on in attempt {} behind {}, and nobody had released it", firing.cpu,
                         firing.attempt, name_of(context, firing));
  }
  return std::nullopt;
}

} // namespace

Finding look_spurious_ignored(const JudgeContext &context) {
  const std::vector<std::size_t> by_faults = inits_by_faults(context);
  for (CpuIndex cpu = 1; cpu < context.evidence.cpus(); ++cpu)
    if (Finding bad = look_starts(context, cpu, by_faults[cpu]))
      return bad;
  // Where something else was done too, that may be the cause.
  const Observation &seen = context.evidence.seen();
  const auto changes_nothing = [&](const Firing &firing) { return is_spurious(context, firing); };
  if (!std::all_of(seen.firings.begin(), seen.firings.end(), changes_nothing))
    return std::nullopt;
  for (const Firing &firing : seen.firings) {
    if (firing.cpu >= context.evidence.cpus())
      continue;
    if (Finding bad = look_struck_in_vain(context, firing))
      return bad;
    if (seen.end == RunEnd::kComplete)
      if (Finding bad = look_early_resumes(context, firing))
        return bad;
  }
  return std::nullopt;
}

} // namespace reveille::vmm
