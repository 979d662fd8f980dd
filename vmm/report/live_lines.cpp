#include "vmm/report/live_lines.hpp"

#include <fmt/format.h>

namespace reveille::vmm {

std::string LiveLines::back() const {
  return drawn_ > 1 ? fmt::format("\r\033[{}A", drawn_ - 1) : std::string("\r");
}

void LiveLines::write(const std::string &text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), out_));
  static_cast<void>(std::fflush(out_));
}

void LiveLines::draw(const std::vector<std::string> &lines) {
  if (!terminal_ || lines.empty())
    return;
  // Wrapping is off for as long as it takes: on a narrower terminal a line would not be one.
  std::string text = back() + "\033[?7l";
  for (std::size_t i = 0; i < lines.size(); ++i)
    text += (i == 0 ? "" : "\n") + lines[i] + "\033[K";
  if (lines.size() < drawn_)
    text += "\033[J";
  write(text + "\033[?7h");
  drawn_ = lines.size();
}

void LiveLines::finish() {
  if (drawn_ == 0)
    return;
  write(back() + (drawn_ == 1 ? "\033[K" : "\033[J"));
  drawn_ = 0;
}

} // namespace reveille::vmm
