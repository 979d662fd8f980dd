#include "vmm/report/progress.hpp"

#include "core/protocol/states.hpp"
#include "vmm/report/grid.hpp"
#include "vmm/report/terminal_size.hpp"
#include "vmm/report/words.hpp"

#include <fmt/format.h>

#include <array>
#include <tuple>
#include <utility>

namespace reveille::vmm {
namespace {

constexpr double kRedrawMs = 100;

/// Counts of words by state.
struct Census {
  std::array<unsigned, abi::kStateCount> in{};
  unsigned corrupt = 0;
  unsigned all = 0;

  explicit Census(std::span<const abi::Word> words) {
    for (const abi::Word word : words) {
      const auto state = static_cast<std::size_t>(word.state);
      ++(state < in.size() ? in[state] : corrupt);
      ++all;
    }
  }
  [[nodiscard]] unsigned count(abi::State state) const { return in[static_cast<std::size_t>(state)]; }
};

} // namespace

std::string progress_line(const ProgressView &view, int width) {
  const Census census(view.words.empty() ? view.words : view.words.subspan(1));
  std::string line = fmt::format("{:>8}", ms_text(view.ms * 1000));
  if (view.cycles > 1)
    line += fmt::format("  cycle {}/{}", view.cycle, view.cycles);
  line += fmt::format("  active {} of {}", census.count(abi::State::kActive), census.all);
  bool full = false;
  const auto add = [&](std::string_view what, unsigned count) {
    const std::string part = fmt::format("  {} {}", what, count);
    // Room is kept for the mark that something was left out.
    if (count == 0 || full)
      return;
    full = line.size() + part.size() + 4 > static_cast<std::size_t>(width);
    line += full ? " ..." : part;
  };
  using abi::State;
  add("given up", census.count(State::kAbandoned) + census.count(State::kParked));
  add("held", static_cast<unsigned>(view.held.size()));
  add("corrupt", census.corrupt);
  for (std::size_t i = 0; i < census.in.size(); ++i) {
    const auto state = static_cast<State>(i);
    const bool told = state == State::kActive || state >= State::kAbandoned;
    if (!told)
      add(protocol::name(state), census.in[i]);
  }
  return line.substr(0, static_cast<std::size_t>(width));
}

void Progress::update(const ProgressView &view) {
  const double ms = view.host_ms.value_or(view.ms);
  if (style_.terminal) {
    if (ms < due_ms_)
      return;
    due_ms_ = ms + kRedrawMs;
    if (const auto size = terminal_size(out_))
      std::tie(style_.width, style_.height) = std::pair(size->columns, size->lines);
    // The cursor stands on the last line; a line more, and the first would scroll out of reach.
    lines_.draw(grid_lines(style_, view, style_.height - 1));
  } else if (ms >= plain_due_ms_) {
    while (plain_due_ms_ <= ms)
      plain_due_ms_ *= 2;
    fmt::print(out_, "{}\n", progress_line(view, style_.width));
    std::fflush(out_);
  }
}

} // namespace reveille::vmm
