#include "vmm/report/what_happened.hpp"

#include "core/protocol/points.hpp"
#include "core/protocol/states.hpp"
#include "vmm/analysis/trail.hpp"
#include "vmm/base/printable.hpp"
#include "vmm/report/faults.hpp"
#include "vmm/report/style.hpp"
#include "vmm/report/words.hpp"
#include "vmm/scenario/places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace reveille::vmm {
namespace {

using abi::Event;
using abi::EventKind;
using abi::State;
using abi::Word;

constexpr std::size_t kMostFirings = 3; ///< that are told of, the last ones

/// A CPU that failed, with what was seen of its last attempt.
struct Case {
  const Scenario &scenario;
  const Observation &seen;
  const CpuVerdict &cpu;
  std::uint32_t attempt = 0;       ///< the last that was kicked; 0: none
  const Event *kick = nullptr;     ///< of it
  const Event *claim = nullptr;    ///< of it
  const Event *last_own = nullptr; ///< the last that the CPU has written of it, on its way
  const Event *failed = nullptr;   ///< what the control CPU decided
  bool was_up = false;             ///< in that attempt
  bool parked = false;             ///< likewise
  const CrashEvidence *crash = nullptr;
  std::vector<const Firing *> firings{}; ///< about it, in that attempt or before the start
};

/// Whether code of the AP's claimed the attempt. Its ring may have lost the claim.
bool has_come(const Case &c) { return c.claim != nullptr || c.last_own != nullptr; }

Word after(const Event &event) { return Word::from(event.b); }

/// Whether an AP's own event says how far it is.
bool is_on_its_way(const Event &event) {
  switch (event.kind) {
  case EventKind::kMoved:
    return after(event).state != State::kParked && Word::from(event.a).state != after(event).state;
  case EventKind::kFound:
  case EventKind::kResumed:
  case EventKind::kStepEnter:
  case EventKind::kStepDone:
  case EventKind::kUndoEnter:
  case EventKind::kUndoDone:
    return true;
  default:
    return false;
  }
}

void read_own_events(Case &c) {
  if (c.cpu.cpu >= c.seen.cpus.size())
    return;
  for (const Event &event : c.seen.cpus[c.cpu.cpu].events) {
    if (event.cpu != c.cpu.cpu || event.attempt != c.attempt)
      continue;
    const bool moves = event.kind == EventKind::kMoved;
    if (event.kind == EventKind::kFound || (moves && after(event).state == State::kClaimed))
      c.claim = c.claim != nullptr ? c.claim : &event;
    c.parked = c.parked || (moves && after(event).state == State::kParked);
    if (is_on_its_way(event))
      c.last_own = &event;
  }
  // Its ring may have overflowed; the word tells too.
  const std::uint64_t bits = c.seen.cpus[c.cpu.cpu].word;
  if (Word::is_valid(bits) && Word::from(bits).attempt == c.attempt)
    c.parked = c.parked || Word::from(bits).state == State::kParked;
}

Case case_of(const Scenario &scenario, const Observation &seen, const CpuVerdict &cpu) {
  Case c{.scenario = scenario, .seen = seen, .cpu = cpu};
  const auto trail = trail_of(seen, cpu.cpu);
  for (const Event *event : trail)
    if (event->kind == EventKind::kKick && event->attempt >= c.attempt) {
      c.attempt = event->attempt;
      c.kick = event;
    }
  for (const Event *event : trail) {
    if (event->kind == EventKind::kFailed)
      c.failed = event;
    c.was_up = c.was_up || (event->kind == EventKind::kOnline && event->attempt == c.attempt);
  }
  if (c.kick != nullptr)
    read_own_events(c);
  for (const CrashEvidence &crash : seen.crashes)
    if (crash.cpu == cpu.cpu && (cpu.cpu == 0 || crash.attempt == c.attempt) && c.crash == nullptr)
      c.crash = &crash;
  for (const Firing &firing : seen.firings)
    if (firing.cpu == cpu.cpu && firing.fault < scenario.faults.size() &&
        (firing.attempt == c.attempt ||
         std::holds_alternative<FirmwarePlace>(scenario.faults[firing.fault].at.where)))
      c.firings.push_back(&firing);
  return c;
}

/// How far the CPU came, to go behind "it": `was let go on from alive`.
std::string how_far(const Case &c) {
  if (c.last_own == nullptr)
    return "wrote nothing down after that";
  const Event &event = *c.last_own;
  const auto step = [&] { return step_text(event.b & 0xff, event.a, c.seen.steps); };
  switch (event.kind) {
  case EventKind::kStepEnter:
    return fmt::format("came as far as {}", step());
  case EventKind::kStepDone:
    if (const int error = static_cast<int>(static_cast<std::uint32_t>(event.b >> 32)); error != 0)
      return fmt::format("came as far as {}, which failed with error {}", step(), error);
    return fmt::format("came as far as the end of {}", step());
  case EventKind::kUndoEnter:
    return fmt::format("came as far as undoing {}", step());
  case EventKind::kUndoDone:
    return fmt::format("came as far as having undone {}", step());
  case EventKind::kResumed:
    for (const protocol::PointRow &point : protocol::kPoints)
      if (point.released == Word::from(event.a).state)
        return fmt::format("was let go on from {}", point.name);
    return fmt::format("came as far as {}", protocol::name(Word::from(event.a).state));
  case EventKind::kMoved:
    if (after(event).state != State::kClaimed)
      return fmt::format("came as far as {}", protocol::name(after(event).state));
    break;
  default:
    break;
  }
  return "came no further";
}

std::string when(const Case &c, const Event *event) {
  const double us = c.seen.us(event->tsc);
  return is_credible(us) ? " at " + ms_text(us) : std::string();
}

std::string delivery_text(const FaultPlace &place) {
  const auto *delivery = std::get_if<DeliveryPlace>(&place.where);
  switch (delivery == nullptr ? Delivery::kInit : delivery->what) {
  case Delivery::kInit:
    return "INIT";
  case Delivery::kSipi:
    return "first SIPI";
  case Delivery::kSipi2:
    return "second SIPI";
  case Delivery::kStop:
    return "INIT of giving up";
  }
  return "INIT";
}

/// What a fault that struck it has to do with it, in a sentence.
std::string fault_sentence(const Case &c, const Firing &firing) {
  const FaultSpec &fault = c.scenario.faults[firing.fault];
  const std::string which = fmt::format("Fault {} ({})", firing.fault, fault_text(fault));
  if (std::holds_alternative<FirmwarePlace>(fault.at.where))
    return which + " was there from the start.";
  if (fault.action == Action::kDrop)
    return fmt::format("Fault {} dropped the {}.", firing.fault, delivery_text(fault.at));
  const std::string whom = is_on_control_cpu(fault.at) ? "its control CPU" : "it";
  if (!fault.holds())
    return fmt::format("{} struck {} at {}.", which, whom, ms_text(firing.began_us));
  if (firing.end == HoldEnd::kHolding)
    return fmt::format("{} holds {} there since {}.", which, whom, ms_text(firing.began_us));
  return fmt::format("{} had {} from {} on: {}.", which, whom, ms_text(firing.began_us), end_text(firing));
}

/// What a CPU that came too late made of it.
std::string late_sentence(const Case &c) {
  const auto says_so = [](const Firing *firing) { return firing->aftermath == Aftermath::kParked; };
  if (!c.parked || std::ranges::any_of(c.firings, says_so))
    return {};
  return "It came late, found itself given up, and parked.";
}

/// How a CPU stands that never claimed.
std::string standing_sentence(const Case &c) {
  if (c.cpu.cpu >= c.seen.cpus.size() || !c.seen.cpus[c.cpu.cpu].vcpu)
    return {};
  const VcpuSnapshot &vcpu = *c.seen.cpus[c.cpu.cpu].vcpu;
  if (vcpu.refused)
    return "It runs the guest's code, and halts where an AP ends that may not claim.";
  if (vcpu.mp_state.starts_with("waits for "))
    return fmt::format("It {}.", printable(vcpu.mp_state));
  const std::string where = vcpu.where.empty() ? std::string() : ", in " + printable(vcpu.where);
  return fmt::format("Its vCPU is no longer waiting for one: {}{}.", printable(vcpu.mp_state), where);
}

std::string why_given_up(const Case &c) {
  if (c.failed == nullptr)
    return "the run ended before anything was decided of it";
  switch (abi::failure_of(c.failed->b).reason) {
  case abi::FailReason::kCorrupt:
    return "its word was found corrupt";
  case abi::FailReason::kLost:
    return "its control CPU stopped, and did not let go of it";
  case abi::FailReason::kError:
    return "a step failed";
  case abi::FailReason::kNoAttempt:
    return "no trampoline page was free for another attempt";
  default:
    return "a turn's time was up";
  }
}

std::string head(const Case &c) {
  const std::string who = fmt::format("CPU {}", c.cpu.cpu);
  if (c.cpu.cpu == 0)
    return fmt::format("{}, the control CPU, died{}.", who,
                       c.crash == nullptr ? std::string() : ": " + printable(c.crash->what));
  if (c.kick == nullptr)
    return fmt::format("{} was never kicked: {}.", who, why_given_up(c));
  const std::string attempt = fmt::format("attempt {}", c.attempt);
  const std::string place = c.crash == nullptr ? std::string() : in_text(c.crash->where);
  if (!has_come(c)) {
    if (c.seen.cpus[c.cpu.cpu].presence == Presence::kGhost)
      return fmt::format("{} never answered its SIPI: there is no such vCPU, though the firmware lists it.",
                         who);
    if (c.crash != nullptr)
      return fmt::format("{} took its SIPI and died before it claimed {}: {}{}.", who, attempt,
                         printable(c.crash->what), place);
    return fmt::format("{} never answered its SIPI: {} was kicked{}, and no code of the AP's claimed it; {}.",
                       who, attempt, when(c, c.kick), why_given_up(c));
  }
  const std::string claimed = c.claim == nullptr ? fmt::format("claimed {}", attempt)
                                                 : fmt::format("claimed {}{}", attempt, when(c, c.claim));
  if (c.was_up && c.crash != nullptr)
    return fmt::format("{} came up ({}) and died later: {}{}.", who, claimed, printable(c.crash->what),
                       place);
  if (c.crash != nullptr)
    return fmt::format("{} started and died: it {}, {}; {}{}.", who, claimed, how_far(c),
                       printable(c.crash->what), place);
  return fmt::format("{} started and did not finish: it {}, {}; {}.", who, claimed, how_far(c),
                     why_given_up(c));
}

} // namespace

std::string what_happened(const Scenario &scenario, const Observation &seen, const CpuVerdict &cpu) {
  const Case c = case_of(scenario, seen, cpu);
  std::string text = head(c);
  const auto add = [&](const std::string &more) { text += more.empty() ? more : ' ' + more; };
  if (c.kick != nullptr && !has_come(c) && c.crash == nullptr)
    add(standing_sentence(c));
  for (std::size_t i = c.firings.size() - std::min(c.firings.size(), kMostFirings); i < c.firings.size(); ++i)
    add(fault_sentence(c, *c.firings[i]));
  add(late_sentence(c));
  return text;
}

} // namespace reveille::vmm
