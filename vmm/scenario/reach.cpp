#include "vmm/scenario/reach.hpp"

#include "vmm/scenario/places.hpp"

#include <algorithm>

namespace reveille::vmm {
namespace {

bool is_way_down(abi::Place place) { return place == abi::Place::kDying || place == abi::Place::kDead; }

/// Whether a fault strikes at all in an attempt of a cycle; 0 stands for every one, here and
/// in the scenario.
bool covers(std::uint32_t all_of, std::uint32_t one, std::uint32_t most) {
  return all_of == 0 || all_of == one || (one == 0 && most == 1);
}

/// Whether a CPU that passes the place of `by` in the attempt in which it strikes never comes to
/// that of `fault`.
bool stands_before(const FaultSpec &by, bool first, const FaultSpec &fault) {
  const auto *at = std::get_if<GuestPlace>(&by.at.where);
  const auto *later = std::get_if<GuestPlace>(&fault.at.where);
  if (at == nullptr || later == nullptr)
    return by.endless() && first && same_place(by.at, fault.at);
  if (by.action == Action::kFail) // the failed step is rolled back, through dying and dead
    return order_of(at->place) < order_of(later->place) && !is_way_down(later->place);
  return by.endless() &&
         (order_of(at->place) < order_of(later->place) || (first && at->place == later->place));
}

/// How often `by` has had to strike when it does so in the last attempt that `fault` may strike in.
std::uint64_t strikes_needed(const FaultSpec &by, const FaultSpec &fault, const Limits &limits) {
  const std::uint64_t cycle = by.cycle != 0 ? 1 : fault.cycle != 0 ? fault.cycle : limits.cycles;
  if (by.attempt != 0)
    return cycle;
  return (cycle - 1) * limits.attempts + (fault.attempt != 0 ? fault.attempt : limits.attempts);
}

/// Whether a CPU that the firmware hides from the guest, or makes out to be another, never comes to the
/// place of `fault`. One that is there can still be struck at a time, or started by a fault.
bool never_comes(const FaultSpec &by, const FaultSpec &fault) {
  const bool is_hidden = is_one_of(by.action, {Action::kUnlisted, Action::kDisabled});
  if (!is_hidden && !is_one_of(by.action, {Action::kGhost, Action::kSameId}))
    return false;
  if (std::holds_alternative<FirmwarePlace>(fault.at.where))
    return false;
  if (std::holds_alternative<GuestPlace>(fault.at.where))
    return is_hidden || !is_on_control_cpu(fault.at);
  return by.action == Action::kGhost || std::holds_alternative<DeliveryPlace>(fault.at.where);
}

} // namespace

std::uint32_t first_cycle(const FaultSpec &fault) { return std::max<std::uint32_t>(fault.cycle, 1); }

Hidden hides(const FaultSpec &by, bool first, const FaultSpec &fault, const Limits &limits) {
  if (by.probability < 1)
    return Hidden::kNo; // it may let it pass
  if (never_comes(by, fault))
    return Hidden::kNoStart;
  if (!by.endless() && by.action != Action::kFail)
    return Hidden::kNo;
  const bool before = stands_before(by, first, fault);
  if (std::holds_alternative<TimePlace>(by.at.where) || std::holds_alternative<TimePlace>(fault.at.where))
    return before ? Hidden::kByIt : Hidden::kNo;
  if (before && covers(by.attempt, fault.attempt, limits.attempts) &&
      covers(by.cycle, fault.cycle, limits.cycles) && strikes_needed(by, fault, limits) <= by.count)
    return Hidden::kByIt;
  // A CPU that fails in all attempts of a cycle stays out of the later ones.
  const bool is_out = limits.attempts == 1 || (by.attempt == 0 && by.count >= limits.attempts);
  if (!is_out)
    return Hidden::kNo;
  if (fault.cycle > first_cycle(by))
    return Hidden::kCycleOut;
  return fault.cycle == 0 && first_cycle(by) == 1 && before ? Hidden::kByIt : Hidden::kNo;
}

bool goes_down(const FaultSpec &fault, CpuIndex cpu, std::span<const FaultSpec> faults,
               const Limits &limits) {
  if (first_cycle(fault) < limits.cycles)
    return true;
  const auto *at = std::get_if<GuestPlace>(&fault.at.where);
  // A failed step of STARTING is rolled back through dead alone, one of ONLINE through both.
  const unsigned from =
      order_of(at->place == abi::Place::kDying ? abi::Place::kIdleReleased : abi::Place::kAliveReleased);
  return std::ranges::any_of(faults, [&](const FaultSpec &other) {
    const auto *step = std::get_if<GuestPlace>(&other.at.where);
    const auto meet = [](std::uint32_t a, std::uint32_t b) { return a == 0 || b == 0 || a == b; };
    return other.action == Action::kFail && step != nullptr && order_of(step->place) > from &&
           other.strikes(cpu) && meet(other.attempt, fault.attempt) && meet(other.cycle, fault.cycle);
  });
}

bool kicks_one_by_one(const Scenario &scenario) {
  return std::any_of(scenario.faults.begin(), scenario.faults.end(), [](const FaultSpec &fault) {
    const auto &where = fault.at.where;
    return std::holds_alternative<DeliveryPlace>(where) || std::holds_alternative<FirmwarePlace>(where) ||
           is_on_control_cpu(fault.at) || (std::holds_alternative<CodePlace>(where) && fault.strikes(0));
  });
}

} // namespace reveille::vmm
