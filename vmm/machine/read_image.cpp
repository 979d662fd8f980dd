#include "vmm/machine/read_image.hpp"

#include "vmm/base/fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace reveille::vmm {
namespace {

constexpr std::uint64_t kMaxBytes = 256u << 20;

tl::unexpected<Error> unreadable(const std::string &path, int error) {
  return fail(ExitStatus::kUsage, fmt::format("{}: cannot read the guest: {}", path, std::strerror(error)));
}

} // namespace

Result<std::vector<std::byte>> read_image(const std::string &path) {
  // Not blocking, so that a FIFO is refused instead of waited for.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info = {};
  if (!fd.is_open() || ::fstat(fd.get(), &info) != 0)
    return unreadable(path, errno);
  if (!S_ISREG(info.st_mode))
    return fail(ExitStatus::kUsage, fmt::format("{}: {}, not a guest", path,
                                                S_ISDIR(info.st_mode) ? "a directory" : "not a file"));
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > kMaxBytes)
    return fail(ExitStatus::kUsage, fmt::format("{}: {} MiB is more than a guest may have, {} MiB", path,
                                                size >> 20, kMaxBytes >> 20));
  std::vector<std::byte> bytes(size);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return unreadable(path, errno);
    if (got == 0)
      break; // it shrank meanwhile; the checks of what was read will tell
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

} // namespace reveille::vmm
