// The bytes of a result.
#include "vmm/diff/read.hpp"

#include "vmm/base/fd.hpp"
#include "vmm/report/style.hpp"
#include "vmm/scenario/read_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace reveille::vmm {
namespace {

constexpr std::size_t kMostBytes = std::size_t{512} << 20; // what a suite keeps of one run

tl::unexpected<Error> unreadable(const std::string &name, int why) {
  return fail(ExitStatus::kUsage, fmt::format("{}: cannot read: {}", name, ::strerrordesc_np(why)));
}

} // namespace

Result<ResultFile> read_results(const std::string &path) {
  const std::string name = display_name(path);
  const Fd fd(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                          : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open())
    return unreadable(name, errno);
  std::string text;
  std::array<char, 65536> block; // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (;;) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return unreadable(name, errno);
    if (got == 0)
      return parse_results(name, text);
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.size() > kMostBytes)
      return fail(ExitStatus::kUsage,
                  fmt::format("{}: more than {} MiB, too large for a result", name, kMostBytes >> 20));
  }
}

} // namespace reveille::vmm
