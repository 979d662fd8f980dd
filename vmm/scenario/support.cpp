#include "vmm/scenario/support.hpp"

#include "vmm/scenario/actions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace reveille::vmm {
namespace {

using enum Performer;

constexpr Performers kKvm = {kKernel, kSplit, kUser};
constexpr Performers kAll = {kKernel, kSplit, kUser, kSim};

constexpr auto kColumns = std::to_array<MatrixColumn>({{"points, before and after", PlaceKind::kPoint},
                                                       {"steps", PlaceKind::kStep},
                                                       {"steps, done", PlaceKind::kStepDone},
                                                       {"dying, dead", PlaceKind::kWayDown},
                                                       {"kick", PlaceKind::kKick},
                                                       {"PREPARE steps", PlaceKind::kPrepareStep},
                                                       {"PREPARE steps, done", PlaceKind::kPrepareStepDone},
                                                       {"time", PlaceKind::kTime},
                                                       {"init", PlaceKind::kInit},
                                                       {"sipi, sipi2", PlaceKind::kSipi},
                                                       {"stop", PlaceKind::kStop},
                                                       {"symbol, addr", PlaceKind::kInstruction},
                                                       {"exit", PlaceKind::kExit},
                                                       {"firmware", PlaceKind::kFirmware}});

/// Wherever the action goes. A simulated CPU has no instruction pointer to change.
Performers performers_of(Action action) { return action == Action::kJump ? kKvm : kAll; }

/// Whatever goes there.
Performers performers_at(PlaceKind kind) {
  switch (kind) {
  case PlaceKind::kInstruction: // simulated CPUs execute none, and have no exits
  case PlaceKind::kExit:
    return kKvm;
  default:
    return kAll;
  }
}

} // namespace

Performers performers(PlaceKind kind, Action action) {
  if (fit(kind, action) == Fit::kNo)
    return {};
  const Performers at = performers_at(kind);
  const Performers of = performers_of(action);
  Performers both;
  for (const Performer each : {kKernel, kSplit, kUser, kSim})
    if (at.has(each) && of.has(each))
      both = both | Performers{each};
  return both;
}

Performer performer_of(const Scenario &scenario) {
  if (scenario.backend == Backend::kSim)
    return kSim;
  return static_cast<Performer>(scenario.machine.apic);
}

Result<void> check_support(const Scenario &scenario) {
  const Performer who = performer_of(scenario);
  for (std::size_t i = 0; i < scenario.faults.size(); ++i) {
    const FaultSpec &fault = scenario.faults[i];
    const Performers able = performers(parse_place(fault.at.text)->kind, fault.action);
    if (!able.has(who))
      return fail(ExitStatus::kUnsupported,
                  fmt::format("{}: fault.{}: \"{}\" at \"{}\" cannot be done by {}; {} can", scenario.file, i,
                              name(fault.action), fault.at.text, in_words({who}), in_words(able)));
  }
  return {};
}

std::string in_words(Performers performers) {
  struct Words {
    Performers who;
    std::string_view text;
  };
  constexpr auto kWords =
      std::to_array<Words>({{kAll, "yes"}, {kKvm, "kvm"}, {{kSim}, "the simulator (--backend sim)"}});
  const auto row = std::ranges::find(kWords, performers, &Words::who);
  return row == kWords.end() ? "some" : std::string(row->text);
}

std::string who_supports(PlaceKind kind) {
  Performers all;
  for (const ActionRow &row : all_actions())
    all = all | performers(kind, row.action);
  return in_words(all);
}

std::string who_supports(Action action) {
  Performers all;
  for (const MatrixColumn &column : kColumns)
    all = all | performers(column.kind, action);
  return in_words(all);
}

std::span<const MatrixColumn> matrix_columns() { return kColumns; }

std::string matrix_cell(PlaceKind kind, Action action) {
  const Fit fits = fit(kind, action);
  if (fits == Fit::kNo)
    return "no";
  const Performers able = performers(kind, action);
  if (able == kAll)
    return fits == Fit::kBounded ? "with a duration" : "yes";
  return in_words(able);
}

std::string fits_as_markdown() {
  std::string text = "| action |";
  std::string rule = "\n|---|";
  for (const MatrixColumn &column : kColumns) {
    text += fmt::format(" {} |", column.heading);
    rule += "---|";
  }
  text += rule + '\n';
  for (const ActionRow &row : all_actions()) {
    text += fmt::format("| `{}` |", row.name);
    for (const MatrixColumn &column : kColumns)
      text += fmt::format(" {} |", matrix_cell(column.kind, row.action));
    text += '\n';
  }
  return text;
}

} // namespace reveille::vmm
