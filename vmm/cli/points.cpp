#include "core/protocol/guest_steps.hpp"

#include "vmm/cli/commands.hpp"
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/places.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

constexpr std::string_view kLater = "not supported yet";

void print_points() {
  fmt::print("Points, in order: where an AP and its control CPU meet\n");
  for (const protocol::PointRow &p : protocol::kPoints)
    fmt::print("  {:<9}{} -> {}, released to {}\n", p.name, protocol::name(p.before),
               protocol::name(p.arrived), protocol::name(p.released));
}

void print_sections() {
  fmt::print("\nSections of steps\n"
             "  PREPARE   on the control CPU, before the kick\n");
  for (const protocol::PointRow &p : protocol::kPoints)
    if (p.section != protocol::Section::kNone)
      fmt::print("  {:<10}on the AP, on its way to {}{}\n",
                 p.section == protocol::Section::kStarting ? "STARTING" : "ONLINE", p.name,
                 p.section == protocol::Section::kStarting ? ", interrupts off" : ", in thread context");
}

void print_steps() {
  constexpr std::string_view kRow = "  {:<10}{:<12}{:<12}{:<17}{}\n";
  const auto yes = [](bool is) { return is ? "yes" : "no"; };
  fmt::print(
      "\nSteps of the guest, in their order: whether several CPUs may do one at once, and whether the\n"
      "CP may undo it on the CPU's behalf, with proof\n");
  fmt::print(kRow, "section", "step", "concurrent", "remote_teardown", "what");
  for (const protocol::StepSpec &step : protocol::kGuestSteps)
    fmt::print(kRow, protocol::name(step.section), step.name, yes(step.concurrent), yes(step.remote_teardown),
               step.about);
}

void print_places() {
  fmt::print("\nPlaces (POINT is any of the points, NAME any of the steps)\n");
  for (const PlaceRow &row : all_places())
    fmt::print("  {:<16}{}{}\n", row.form, row.about, row.supported ? "" : fmt::format(" [{}]", kLater));
}

void print_actions() {
  fmt::print("\nActions\n");
  for (const ActionRow &row : all_actions()) {
    fmt::print("  {:<15}{}{}\n", row.name, row.about, row.action ? "" : fmt::format(" [{}]", kLater));
    fmt::print("  {:<15}at: {}{}\n", "", row.where,
               row.keys.empty() ? "" : fmt::format("; keys: {}", row.keys));
  }
}

void print_support() {
  fmt::print("\nWhat is supported (backends kvm, with any apic, and sim)\n  {:<26}", "");
  for (const ActionRow &row : all_actions())
    if (row.action)
      fmt::print("{:<9}", row.name);
  fmt::print("\n");
  for (const PlaceRow &place : all_places()) {
    if (!place.supported)
      continue;
    fmt::print("  {:<26}", place.kind == PlaceKind::kPrepareStep || place.kind == PlaceKind::kPrepareStepDone
                               ? fmt::format("{} ({})", place.form, place.of)
                               : std::string(place.form));
    for (const ActionRow &row : all_actions()) {
      if (!row.action)
        continue;
      const Fit f = fit(place.kind, *row.action);
      fmt::print("{:<9}", f == Fit::kYes ? "yes" : f == Fit::kBounded ? "bounded" : "-");
    }
    fmt::print("\n");
  }
  fmt::print("  The other places and actions: {}\n", kLater);
}

} // namespace

int points(const Arguments &arguments) {
  const auto go_on = parse_points(arguments);
  if (!go_on)
    return usage_error("points", go_on.error().message);
  if (!*go_on)
    return flushed(0);
  print_points();
  print_sections();
  print_steps();
  print_places();
  print_actions();
  print_support();
  return flushed(0);
}

} // namespace reveille::vmm
