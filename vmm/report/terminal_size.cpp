#include "vmm/report/terminal_size.hpp"

#include <sys/ioctl.h>

namespace reveille::vmm {

std::optional<TerminalSize> terminal_size(std::FILE *stream) {
  winsize size{};
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): there is no other way to ask
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return std::nullopt;
  return TerminalSize{size.ws_col, size.ws_row};
}

} // namespace reveille::vmm
