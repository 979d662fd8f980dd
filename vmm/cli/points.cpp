#include "core/protocol/guest_steps.hpp"

#include "vmm/cli/commands.hpp"
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/places.hpp"
#include "vmm/scenario/support.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

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

std::string unless_everywhere(const std::string &support) {
  return support == "yes" ? "" : fmt::format(" [{}]", support);
}

void print_places() {
  fmt::print("\nPlaces (POINT is any of the points, NAME any of the steps)\n");
  for (const PlaceRow &row : all_places())
    fmt::print("  {:<16}{}{}\n", row.form, row.about, unless_everywhere(who_supports(row.kind)));
}

void print_actions() {
  fmt::print("\nActions\n");
  for (const ActionRow &row : all_actions()) {
    fmt::print("  {:<15}{}{}\n", row.name, row.about, unless_everywhere(who_supports(row.action)));
    fmt::print("  {:<15}at: {}{}\n", "", row.where,
               row.keys.empty() ? "" : fmt::format("; keys: {}", row.keys));
  }
}

/// One letter for each who can do it, k in the kernel, s split, u user, and m simulated.
std::string letters(PlaceKind kind, Action action) {
  const Performers able = performers(kind, action);
  std::string text;
  for (const auto &[who, letter] : {std::pair{Performer::kKernel, 'k'},
                                    {Performer::kSplit, 's'},
                                    {Performer::kUser, 'u'},
                                    {Performer::kSim, 'm'}})
    text += able.has(who) ? letter : '-';
  return text + (fit(kind, action) == Fit::kBounded ? "*" : "");
}

void print_line(std::string_view line) {
  fmt::print("      {}\n", line.substr(0, line.find_last_not_of(' ') + 1));
}

void print_support() {
  fmt::print(
      "\nWho does which action at which place: k, s, u: on KVM with apic = \"kernel\", \"split\", \"user\";\n"
      "m: simulated; *: with a duration\n");
  for (const MatrixColumn &column : matrix_columns()) {
    std::string line;
    fmt::print("  {}\n", column.heading);
    for (const ActionRow &row : all_actions()) {
      if (fit(column.kind, row.action) == Fit::kNo)
        continue;
      const std::string cell = fmt::format("{} {}", row.name, letters(column.kind, row.action));
      if (line.size() + cell.size() > 90) {
        print_line(line);
        line.clear();
      }
      line += fmt::format("{:<22}", cell);
    }
    print_line(line);
  }
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
