#include "vmm/report/grid.hpp"

#include "core/protocol/states.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace reveille::vmm {
namespace {

using abi::State;

/// How a CPU is drawn. What it is on its way to has a small letter, what it waits at a capital.
struct Cell {
  char letter;
  Ink ink;
};

struct StateCell {
  State state;
  Cell cell;
};

constexpr std::array<StateCell, abi::kStateCount> kCells = {{
    {State::kDown, {'-', Ink::kDim}},           {State::kKicked, {'k', Ink::kWarn}},
    {State::kClaimed, {'k', Ink::kWarn}},       {State::kAlive, {'K', Ink::kWarn}},
    {State::kStarting, {'s', Ink::kBlue}},      {State::kStartFailed, {'v', Ink::kBad}},
    {State::kStarted, {'S', Ink::kBlue}},       {State::kSyncing, {'y', Ink::kMagenta}},
    {State::kSynced, {'Y', Ink::kMagenta}},     {State::kOnlining, {'o', Ink::kCyan}},
    {State::kOnline, {'O', Ink::kCyan}},        {State::kIdling, {'i', Ink::kBrightCyan}},
    {State::kIdle, {'I', Ink::kBrightCyan}},    {State::kActivating, {'a', Ink::kBrightGreen}},
    {State::kActivateFailed, {'v', Ink::kBad}}, {State::kActive, {'=', Ink::kGood}},
    {State::kUndoOnline, {'v', Ink::kPlain}},   {State::kDying, {'v', Ink::kPlain}},
    {State::kUndoStarting, {'v', Ink::kPlain}}, {State::kDead, {'d', Ink::kDim}},
    {State::kAbandoned, {'x', Ink::kBad}},      {State::kParked, {'x', Ink::kBad}},
}};

consteval bool cells_are_in_order() {
  for (std::size_t i = 0; i < kCells.size(); ++i)
    if (static_cast<std::size_t>(kCells[i].state) != i)
      return false;
  return true;
}
static_assert(cells_are_in_order());

constexpr std::string_view kLegend = "C control CPU  - down  k kicked  s starting  y syncing  o onlining  "
                                     "i idling  a activating  = active  KSYOI wait for their release  "
                                     "! held by a fault  x given up  v going down  d dead";

constexpr std::size_t kBlock = 8;       ///< cells between two spaces
constexpr std::size_t kMostInRow = 256; ///< cells

/// The cells in rows.
class Rows {
public:
  Rows(const Style &style, const ProgressView &view)
      : style_(style), view_(view), label_(std::to_string(view.words.size() - 1).size() + 1) {
    const std::size_t width = static_cast<std::size_t>(std::max(style.width, 0));
    room_ = width > label_ ? width - label_ : 0;
    for (std::size_t cells = kBlock; cells <= kMostInRow; cells *= 2)
      if (cells + cells / kBlock - 1 <= room_)
        in_row_ = cells;
    if (in_row_ == 0)
      make_dense();
  }

  /// As many cells in a row as there is room for.
  void make_dense() {
    in_row_ = room_;
    spaced_ = false;
  }

  [[nodiscard]] std::size_t count() const {
    return in_row_ == 0 ? 0 : (view_.words.size() + in_row_ - 1) / in_row_;
  }

  [[nodiscard]] std::string text(std::size_t row) const {
    std::string line = paint(style_, Ink::kDim, fmt::format("{:>{}} ", row * in_row_, label_ - 1));
    std::string same;
    Ink ink = Ink::kPlain;
    for (std::size_t cpu = first_of(row); cpu < end_of(row); ++cpu) {
      const Cell cell = cell_of(cpu);
      if (cell.ink != ink) {
        line += paint(style_, ink, same);
        same.clear();
        ink = cell.ink;
      }
      same += cell.letter;
      const bool ends_block = spaced_ && (cpu + 1) % kBlock == 0 && cpu + 1 < end_of(row);
      same += ends_block ? " " : "";
    }
    return line + paint(style_, ink, same);
  }

  [[nodiscard]] bool is_all_active(std::size_t row) const { return active_in(row) == size_of(row); }
  [[nodiscard]] std::size_t size_of(std::size_t row) const { return end_of(row) - first_of(row); }
  [[nodiscard]] std::size_t active_in(std::size_t row) const {
    std::size_t active = 0;
    for (std::size_t cpu = first_of(row); cpu < end_of(row); ++cpu)
      active += cpu == 0 || (view_.words[cpu].state == State::kActive && !is_held(cpu)) ? 1 : 0;
    return active;
  }

private:
  [[nodiscard]] std::size_t first_of(std::size_t row) const { return row * in_row_; }
  [[nodiscard]] std::size_t end_of(std::size_t row) const {
    return std::min((row + 1) * in_row_, view_.words.size());
  }
  [[nodiscard]] bool is_held(std::size_t cpu) const {
    return std::ranges::binary_search(view_.held, static_cast<CpuIndex>(cpu));
  }
  [[nodiscard]] Cell cell_of(std::size_t cpu) const {
    if (is_held(cpu))
      return {'!', Ink::kMarked};
    if (cpu == 0)
      return {'C', Ink::kBold};
    const auto state = static_cast<std::size_t>(view_.words[cpu].state);
    return state < kCells.size() ? kCells[state].cell : Cell{'?', Ink::kBad};
  }

  const Style &style_;
  const ProgressView &view_;
  std::size_t label_; ///< columns in front of the cells, a space among them
  std::size_t room_ = 0;
  std::size_t in_row_ = 0;
  bool spaced_ = true;
};

std::vector<std::string> legend_lines(const Style &style) {
  std::string text(kLegend);
  // What belongs together stays so: it is broken at double spaces alone.
  std::vector<std::string> lines = {""};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("  "), text.size());
    const std::string item = text.substr(0, end);
    text.erase(0, std::min(end + 2, text.size()));
    const std::size_t with = lines.back().size() + (lines.back().empty() ? 0 : 2) + item.size();
    if (with > static_cast<std::size_t>(style.width))
      lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : "  ") + item;
  }
  return lines;
}

/// The rows that tell most: those in which not all are active, the first ones; and what the others are.
void add_some(std::vector<std::string> &lines, const Style &style, const Rows &rows, std::size_t most) {
  std::size_t shown = 0;
  std::size_t cpus = 0;
  std::size_t active = 0;
  for (std::size_t row = 0; row < rows.count(); ++row) {
    if (shown < most && !rows.is_all_active(row)) {
      lines.push_back(rows.text(row));
      ++shown;
    } else {
      cpus += rows.size_of(row);
      active += rows.active_in(row);
    }
  }
  std::string rest = fmt::format("and {}, {} active", counted(cpus, "more CPU"), active);
  rest.resize(std::min(rest.size(), static_cast<std::size_t>(std::max(style.width, 0))));
  if (cpus != 0)
    lines.push_back(paint(style, Ink::kDim, rest));
}

} // namespace

std::vector<std::string> grid_lines(const Style &style, const ProgressView &view, int lines) {
  std::vector<std::string> all = {progress_line(view, std::max(style.width, 1))};
  const std::size_t most = static_cast<std::size_t>(std::max(lines, 1)) - 1;
  if (view.words.size() < 2)
    return all;
  Rows rows(style, view);
  if (rows.count() > most)
    rows.make_dense();
  if (rows.count() == 0 || most == 0)
    return all;
  if (rows.count() > most) {
    add_some(all, style, rows, most - 1);
    return all;
  }
  for (std::size_t row = 0; row < rows.count(); ++row)
    all.push_back(rows.text(row));
  const std::vector<std::string> legend = legend_lines(style);
  const bool fits = std::ranges::all_of(
      legend, [&](const std::string &line) { return line.size() <= static_cast<std::size_t>(style.width); });
  if (fits && rows.count() + legend.size() <= most)
    for (const std::string &line : legend)
      all.push_back(paint(style, Ink::kDim, line));
  return all;
}

} // namespace reveille::vmm
