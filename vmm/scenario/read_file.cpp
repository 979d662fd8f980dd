#include "vmm/scenario/read_file.hpp"

#include "vmm/base/fd.hpp"
#include "vmm/base/printable.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;

tl::unexpected<Error> unreadable(const std::string &path, int error) {
  if (error == EINTR)
    return fail(ExitStatus::kInterrupted,
                fmt::format("{}: interrupted while it was read", display_name(path)));
  if (error == EISDIR)
    return fail(ExitStatus::kUsage,
                fmt::format("{}: is a directory, not a scenario file", display_name(path)));
  return fail(ExitStatus::kUsage,
              fmt::format("{}: cannot read: {}", display_name(path), std::strerror(error))); // NOLINT
}

} // namespace

std::string display_name(const std::string &path) { return path == "-" ? "standard input" : printable(path); }

Result<std::string> read_text(const std::string &path) {
  const bool is_standard_input = path == "-"; // which stays open
  const Fd file(is_standard_input ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!is_standard_input && !file.is_open())
    return unreadable(path, errno);
  const int input = is_standard_input ? STDIN_FILENO : file.get();
  std::string text;
  std::array<char, 16384> block; // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (;;) {
    const ssize_t got = ::read(input, block.data(), block.size());
    if (got < 0)
      return unreadable(path, errno);
    if (got == 0)
      break;
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.find('\0', text.size() - static_cast<std::size_t>(got)) != std::string::npos)
      return fail(ExitStatus::kUsage,
                  fmt::format("{}: a binary file, not a scenario: it holds NUL bytes", display_name(path)));
    if (text.size() > kMaxBytes)
      return fail(ExitStatus::kUsage, fmt::format("{}: larger than {} bytes, too large for a scenario",
                                                  display_name(path), kMaxBytes));
  }
  return text;
}

} // namespace reveille::vmm
