#include "vmm/report/style.hpp"

#include "vmm/report/terminal_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <unistd.h>

namespace reveille::vmm {
namespace {

std::string_view environment(const char *name) {
  const char *value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

constexpr int kNarrowest = 40;
constexpr int kWidest = 250;

int columns(bool terminal, std::optional<TerminalSize> size) {
  const std::string_view text = environment("COLUMNS");
  int width = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), width);
  if (error == std::errc{} && end == text.data() + text.size() && width > 0)
    return std::clamp(width, kNarrowest, kWidest);
  if (size)
    return std::clamp(size->columns, kNarrowest, kWidest);
  return terminal ? 80 : 100;
}

std::string_view code(Ink ink) {
  switch (ink) {
  case Ink::kBold:
    return "1";
  case Ink::kDim:
    return "2";
  case Ink::kGood:
    return "32";
  case Ink::kBad:
    return "1;31";
  case Ink::kWarn:
    return "33";
  case Ink::kBlue:
    return "34";
  case Ink::kMagenta:
    return "35";
  case Ink::kCyan:
    return "36";
  case Ink::kBrightCyan:
    return "96";
  case Ink::kBrightGreen:
    return "92";
  case Ink::kMarked:
    return "1;7;33";
  case Ink::kPlain:
    break;
  }
  return {};
}

} // namespace

Style Style::for_stream(std::FILE *stream) {
  Style style;
  const bool is_terminal = ::isatty(::fileno(stream)) == 1;
  const std::string_view term = environment("TERM");
  style.terminal = is_terminal && !term.empty() && term != "dumb";
  style.colour = style.terminal && environment("NO_COLOR").empty();
  const auto size = terminal_size(stream);
  style.width = columns(is_terminal, size);
  style.height = size ? size->lines : 24;
  return style;
}

std::string paint(const Style &style, Ink ink, std::string_view text) {
  if (!style.colour || ink == Ink::kPlain || text.empty())
    return std::string(text);
  // The end of a line stays outside: some terminals colour the rest of it.
  const std::string_view line_end = text.ends_with('\n') ? "\n" : "";
  text.remove_suffix(line_end.size());
  return fmt::format("\033[{}m{}\033[0m{}", code(ink), text, line_end);
}

std::string wrap(std::string_view first, std::string_view text, int width) {
  const std::string indent(first.size(), ' ');
  std::string all(first);
  std::size_t column = first.size();
  bool fresh = true; // nothing but the indent on this line yet
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (!fresh && column + 1 + word.size() > static_cast<std::size_t>(width)) {
      all += '\n' + indent;
      column = indent.size();
      fresh = true;
    }
    if (!fresh)
      all += ' ';
    all += word;
    column += word.size() + (fresh ? 0 : 1);
    fresh = false;
  }
  return all + '\n';
}

} // namespace reveille::vmm
