#include "vmm/scenario/actions.hpp"

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
    {"throttle", {}, kEndless, "percent, duration_ms", kStops, "the vCPU gets only that share of its time"},
    {"reset", {}, kNone, "", kStops, "an INIT from nowhere"},
    {"nmi", {}, kNone, "", kStops, "an NMI from nowhere"},
    {"interrupt", {}, kNone, "vector", kStops, "an interrupt from nowhere"},
    {"jump", {}, kNone, "address, symbol", kStops, "the vCPU goes on somewhere else"},
    {"spurious-sipi", {}, kNone, "vector", kStops, "a SIPI from nowhere"},
    {"drop", {}, kNone, "", kDeliveries, "the delivery is lost"},
    {"duplicate", {}, kNone, "", kDeliveries, "the delivery comes twice"},
    {"redirect", {}, kNone, "to", kDeliveries, "the delivery goes to another CPU"},
    {"wrong-vector", {}, kNone, "vector", "sipi, sipi2", "the SIPI carries another vector"},
    {"early-sipi", {}, kNone, "", "init", "the SIPI comes before the INIT"},
    {"late-init", {}, kRequired, "duration_ms", "init", "a second INIT that much later"},
    {"flip", {}, kNone, "bits", "points", "bits of the CPU's word flip"},
    {"stale", {}, kNone, "", "points", "the word of the previous attempt comes back"},
    {"garbage", {}, kNone, "", "points", "garbage in the CPU's event ring"},
    {"ghost", {}, kNone, "", "firmware", "the MADT lists a CPU that does not exist"},
    {"unlisted", {}, kNone, "", "firmware", "the MADT does not list the CPU"},
    {"disabled", {}, kNone, "", "firmware", "the MADT lists the CPU as disabled"},
    {"same-id", {}, kNone, "to", "firmware", "two CPUs with one APIC ID"},
    {"swap-id", {}, kNone, "to", "firmware", "two CPUs with each other's APIC IDs"},
    {"skew", {}, kNone, "skew_us", "firmware", "the CPU's TSC is off"},
    // clang-format on
});

} // namespace

std::span<const ActionRow> all_actions() { return kActions; }

const ActionRow *find_action(std::string_view name) {
  const auto it = std::ranges::find(kActions, name, &ActionRow::name);
  return it == kActions.end() ? nullptr : &*it;
}

std::string_view name(Action action) {
  const auto it = std::ranges::find(kActions, std::optional(action), &ActionRow::action);
  return it == kActions.end() ? std::string_view{"?"} : it->name;
}

std::string actions_as_markdown() {
  std::string text = "| action | keys of its own | where | what | support |\n|---|---|---|---|---|\n";
  for (const ActionRow &row : kActions)
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.name, row.keys, row.where, row.about,
                        row.action ? "yes" : "not supported yet");
  return text;
}

} // namespace reveille::vmm
