#include "vmm/scenario/build_firmware.hpp"

#include "vmm/scenario/actions.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace reveille::vmm {
namespace {

using enum Action;

bool is_firmware(const FaultSpec &fault) { return std::holds_alternative<FirmwarePlace>(fault.at.where); }
bool changes_id(Action action) { return is_one_of(action, {kSameId, kSwapId}); }

/// Whether the MADT's entry of `cpu`, or the CPU behind it, is another by that fault.
bool changes(const FaultSpec &fault, CpuIndex cpu) {
  return fault.strikes(cpu) || (fault.action == kSwapId && fault.to == cpu);
}

/// Whether one CPU can have both. A disabled entry may hold another's ID too; a CPU that is there may have
/// a TSC of its own.
bool go_together(Action a, Action b) {
  if (a == b)
    return false;
  if (a == kSkew || b == kSkew)
    return a != kGhost && b != kGhost;
  return is_one_of(a, {kDisabled, kSameId}) && is_one_of(b, {kDisabled, kSameId});
}

/// A CPU that both say something of, and cannot.
std::optional<CpuIndex> common(const FaultSpec &fault, const FaultSpec &other) {
  for (const CpuIndex cpu : fault.cpus)
    if (changes(other, cpu) && !go_together(fault.action, other.action))
      return cpu;
  // Whose ID another entry holds must be there, and listed by it.
  const auto lends = [](const FaultSpec &lender, const FaultSpec &by) {
    return changes_id(lender.action) && by.action != kSkew && changes(by, lender.to);
  };
  if (lends(fault, other))
    return fault.to;
  return lends(other, fault) ? std::optional(other.to) : std::nullopt;
}

} // namespace

std::optional<FirmwareMistake> firmware_mistake(std::span<const FaultSpec> faults, std::size_t which,
                                                const Limits &limits) {
  const FaultSpec &fault = faults[which];
  if (!is_firmware(fault))
    return std::nullopt;
  if (fault.count > 1)
    return FirmwareMistake{"count", "\"firmware\" comes once: a count over 1 can never be reached"};
  if (changes_id(fault.action) && fault.to >= limits.max_cpus)
    return FirmwareMistake{
        "to", fmt::format("CPU {} is not brought up (max_cpus = {})", fault.to, limits.max_cpus)};
  if (fault.action == kSwapId && fault.cpus.size() > 1)
    return FirmwareMistake{"cpu", "\"swap-id\" takes one CPU, which changes places with one other"};
  for (std::size_t other = 0; other < which; ++other) {
    if (!is_firmware(faults[other]))
      continue;
    if (const auto cpu = common(fault, faults[other]))
      return FirmwareMistake{"action",
                             fmt::format("\"{}\" does not go together with the \"{}\" of fault {} on CPU {}",
                                         name(fault.action), name(faults[other].action), other, *cpu)};
  }
  return std::nullopt;
}

} // namespace reveille::vmm
