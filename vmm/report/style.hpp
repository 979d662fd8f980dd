// How text is to look where it goes: width and colour.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace reveille::vmm {

/// What a stream can show.
struct Style {
  bool terminal = false; ///< one on which lines can be redrawn: TERM is set, and not "dumb"
  bool colour = false;
  int width = 100; ///< columns
  int height = 24; ///< lines, of a terminal

  /// Finds out: colour only on a terminal that has it, and when NO_COLOR is unset or empty
  /// (no-color.org). The width is what COLUMNS says; without it the terminal's, 80 where that is
  /// not known, and 100 where there is no terminal.
  [[nodiscard]] static Style for_stream(std::FILE *stream);
};

enum class Ink {
  kPlain,
  kBold,
  kDim,
  kGood,
  kBad,
  kWarn,
  kBlue,
  kMagenta,
  kCyan,
  kBrightCyan,
  kBrightGreen,
  kMarked, ///< stands out from all the others
};

/// `text` in a colour, or as it is where there are none. Pad before, not after.
[[nodiscard]] std::string paint(const Style &style, Ink ink, std::string_view text);

/// `text` over several lines of at most `width` columns, the first with `first` in front,
/// the others indented by as much. Breaks at spaces alone. Ends in a newline.
[[nodiscard]] std::string wrap(std::string_view first, std::string_view text, int width);

} // namespace reveille::vmm
