#include "vmm/report/live_line.hpp"

#include <fmt/format.h>

namespace reveille::vmm {

void LiveLine::draw(const std::string &line) {
  if (!terminal_)
    return;
  // Wrapping is off for the length of the line: on a narrower terminal it would not be one.
  fmt::print(out_, "\r\033[?7l{}\033[K\033[?7h", line);
  std::fflush(out_);
  drawn_ = true;
}

void LiveLine::finish() {
  if (!drawn_)
    return;
  std::fputs("\r\033[K", out_);
  std::fflush(out_);
  drawn_ = false;
}

} // namespace reveille::vmm
