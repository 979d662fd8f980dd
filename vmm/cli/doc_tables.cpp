#include "vmm/cli/doc_tables.hpp"

#include "core/protocol/guest_steps.hpp"
#include "vmm/analysis/blame.hpp"
#include "vmm/judge/invariants.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

using abi::State;
using abi::Word;
using protocol::Mover;
using protocol::Owner;

std::string_view owner_text(Owner owner) {
  switch (owner) {
  case Owner::kCp:
    return "CP";
  case Owner::kAp:
    return "AP";
  case Owner::kBoth:
    break;
  }
  return "both";
}

/// The states that `mover` may swap `from` for within the attempt, as the core asks for it.
std::string goes_to(State from, Mover mover) {
  std::string text;
  for (const protocol::StateRow &row : protocol::kStates)
    if (row.state != from && protocol::is_legal(Word{1, from, 0}, Word{1, row.state, 0}, mover))
      text += fmt::format("{}`{}`", text.empty() ? "" : ", ", row.name);
  return text;
}

/// A dash in a cell that would be empty.
std::string cell(const std::string &text) { return text.empty() ? "-" : text; }

std::string_view yes(bool is) { return is ? "yes" : ""; }

std::string_view judged(const InvariantRow &row) {
  return row.from_events ? "yes, when no event was lost" : "yes";
}

} // namespace

std::string states_as_markdown() {
  std::string text = "| state | owner | the AP may make it | the CP may make it | counts steps "
                     "| may be kicked from | online |\n|---|---|---|---|---|---|---|\n";
  for (const protocol::StateRow &row : protocol::kStates) {
    const Word word{1, row.state, 0};
    const bool counts = protocol::is_legal(word, word.with(row.state, 1), Mover::kCp) ||
                        protocol::is_legal(word, word.with(row.state, 1), Mover::kAp);
    const bool kicked = protocol::is_legal(word, Word{2, State::kKicked, 0}, Mover::kCp);
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", row.name, owner_text(row.owner),
                        cell(goes_to(row.state, Mover::kAp)), cell(goes_to(row.state, Mover::kCp)),
                        yes(counts), yes(kicked), yes(protocol::is_online(row.state)));
  }
  return text;
}

std::string points_as_markdown() {
  std::string text = "| point | the AP on its way | waits in | released to | steps on the way "
                     "|\n|---|---|---|---|---|\n";
  for (const protocol::PointRow &row : protocol::kPoints) {
    const bool is_last = row.released == row.arrived;
    text += fmt::format("| {} | `{}` | {} | {} | {} |\n", row.name, protocol::name(row.before),
                        is_last ? "-" : fmt::format("`{}`", protocol::name(row.arrived)),
                        is_last ? fmt::format("`{}`, by its own swap", protocol::name(row.released))
                                : fmt::format("`{}`", protocol::name(row.released)),
                        protocol::name(row.section));
  }
  return text;
}

std::string invariants_as_markdown() {
  std::string text = "| invariant | what | judged |\n|---|---|---|\n";
  for (const InvariantRow &row : all_invariants())
    text += fmt::format("| `{}` | {} | {} |\n", row.name, row.what, judged(row));
  return text;
}

std::string blame_as_markdown() {
  std::string text = "| word | what |\n|---|---|\n";
  for (const BlamePart &part : all_blame_parts())
    text += fmt::format("| {} | {} |\n", part.name, part.about);
  return text;
}

} // namespace reveille::vmm
