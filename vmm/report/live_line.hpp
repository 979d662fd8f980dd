// A line that is drawn again and again in the same place.
#pragma once

#include "vmm/report/style.hpp"

#include <cstdio>
#include <string>

namespace reveille::vmm {

/// One line of a terminal. Where there is no terminal it draws nothing.
class LiveLine {
public:
  LiveLine(std::FILE *out, const Style &style) : out_(out), terminal_(style.terminal) {}
  ~LiveLine() { finish(); }
  LiveLine(const LiveLine &) = delete;
  LiveLine &operator=(const LiveLine &) = delete;

  /// Draws the line, over what it was before. `line` must be printable.
  void draw(const std::string &line);

  /// Takes the line away, if there is one; the cursor stands at the beginning of its place.
  void finish();

private:
  std::FILE *out_;
  bool terminal_;
  bool drawn_ = false;
};

} // namespace reveille::vmm
