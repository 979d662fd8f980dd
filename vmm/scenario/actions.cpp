#include "vmm/scenario/actions.hpp"

#include "vmm/scenario/support.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace reveille::vmm {
namespace {

using enum Duration;

constexpr std::string_view kStops = "points, steps, dying, dead, symbols, exits, time";
constexpr std::string_view kDeliveries = "init, sipi, sipi2, stop";

constexpr std::array kActions = std::to_array<ActionRow>({
    // clang-format off
    {"delay", Action::kDelay, kRequired, "duration_ms", "everywhere but firmware",
     "the vCPU stays there for that long, then goes on"},
    {"stall", Action::kStall, kEndless, "duration_ms", "points, kick (bounded), steps, dying, dead, symbols, exits, time",
     "the vCPU stays there, as if it spun, until released or reset by an INIT"},
    {"freeze", Action::kFreeze, kEndless, "duration_ms", kStops,
     "the vCPU gets no time at all, and an INIT stays pending"},
    {"crash", Action::kCrash, kNone, "", kStops, "a triple fault"},
    {"fail", Action::kFail, kNone, "error", "step:NAME", "the step is not done, and returns the error"},
    {"throttle", Action::kThrottle, kEndless, "percent, duration_ms", kStops, "the vCPU gets only that share of its time"},
    {"reset", Action::kReset, kNone, "", kStops, "an INIT from nowhere"},
    {"nmi", Action::kNmi, kNone, "", kStops, "an NMI from nowhere"},
    {"interrupt", Action::kInterrupt, kNone, "vector", kStops, "an interrupt from nowhere"},
    {"jump", Action::kJump, kNone, "address, symbol", kStops, "the vCPU goes on somewhere else"},
    {"spurious-sipi", Action::kSpuriousSipi, kNone, "vector", kStops, "a SIPI from nowhere"},
    {"drop", Action::kDrop, kNone, "", kDeliveries, "the delivery is lost"},
    {"duplicate", Action::kDuplicate, kNone, "", kDeliveries, "the delivery comes twice"},
    {"redirect", Action::kRedirect, kNone, "to", kDeliveries, "the delivery goes to another CPU"},
    {"wrong-vector", Action::kWrongVector, kNone, "vector", "sipi, sipi2", "the SIPI carries another vector"},
    {"early-sipi", Action::kEarlySipi, kNone, "", "init", "the SIPI comes before the INIT"},
    {"late-init", Action::kLateInit, kRequired, "duration_ms", "init", "a second INIT that much later"},
    {"flip", Action::kFlip, kNone, "bits", "points", "bits of the CPU's word flip"},
    {"stale", Action::kStale, kNone, "", "points", "the word of the previous attempt comes back"},
    {"garbage", Action::kGarbage, kNone, "", "points", "garbage in the CPU's event ring"},
    {"ghost", Action::kGhost, kNone, "", "firmware", "the MADT lists a CPU that does not exist"},
    {"unlisted", Action::kUnlisted, kNone, "", "firmware", "the MADT does not list the CPU"},
    {"disabled", Action::kDisabled, kNone, "", "firmware", "the MADT lists the CPU as disabled"},
    {"same-id", Action::kSameId, kNone, "to", "firmware", "two CPUs with one APIC ID"},
    {"swap-id", Action::kSwapId, kNone, "to", "firmware", "two CPUs with each other's APIC IDs"},
    {"skew", Action::kSkew, kNone, "skew_us", "firmware", "the CPU's TSC is off"},
    // clang-format on
});

} // namespace

std::span<const ActionRow> all_actions() { return kActions; }

const ActionRow *find_action(std::string_view name) {
  const auto it = std::ranges::find(kActions, name, &ActionRow::name);
  return it == kActions.end() ? nullptr : &*it;
}

std::string_view name(Action action) {
  const auto it = std::ranges::find(kActions, action, &ActionRow::action);
  return it == kActions.end() ? std::string_view{"?"} : it->name;
}

bool takes(const ActionRow &row, std::string_view key) {
  for (std::string_view rest = row.keys; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (rest.substr(0, comma) == key)
      return true;
    rest.remove_prefix(std::min(comma + 2, rest.size()));
  }
  return false;
}

std::string actions_as_markdown() {
  std::string text = "| action | keys of its own | where | what | support |\n|---|---|---|---|---|\n";
  for (const ActionRow &row : kActions)
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.name, row.keys, row.where, row.about,
                        who_supports(row.action));
  return text;
}

} // namespace reveille::vmm
