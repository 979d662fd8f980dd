// Lines that are drawn again and again in the same place.
#pragma once

#include "vmm/report/style.hpp"

#include <cstdio>
#include <string>
#include <vector>

namespace reveille::vmm {

/// Some lines of a terminal, and the cursor at the end of the last of them. Where there is no
/// terminal it draws nothing. Whatever ends the program leaves the terminal as it was, but for the
/// lines themselves: nothing is switched off for longer than one write.
class LiveLines {
public:
  LiveLines(std::FILE *out, const Style &style) : out_(out), terminal_(style.terminal) {}
  ~LiveLines() { finish(); }
  LiveLines(const LiveLines &) = delete;
  LiveLines &operator=(const LiveLines &) = delete;

  /// Draws the lines, over what they were before. They must be printable, and fewer than the
  /// terminal has.
  void draw(const std::vector<std::string> &lines);
  void draw(const std::string &line) { draw(std::vector{line}); }

  /// Takes them away, if there are any; the cursor stands at the beginning of their place.
  void finish();

private:
  void write(const std::string &text);
  /// To the beginning of the first line that is there.
  [[nodiscard]] std::string back() const;

  std::FILE *out_;
  bool terminal_;
  std::size_t drawn_ = 0; ///< lines that are there
};

} // namespace reveille::vmm
