#include "vmm/machine/pagemap.hpp"

#include "vmm/base/fd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace reveille::vmm {
namespace {

constexpr std::size_t kPage = 4096;
constexpr const char *kPath = "/proc/self/pagemap";
constexpr std::size_t kAtOnce = 4096; // entries

tl::unexpected<Error> cannot(const char *what, int error) {
  return fail(ExitStatus::kBroken,
              fmt::format("cannot {} {}, which tells which pages of the guest's memory there are: {}", what,
                          kPath, std::strerror(error)));
}

} // namespace

Result<std::vector<bool>> touched_pages(std::span<const std::byte> memory) {
  const Fd file(::open(kPath, O_RDONLY | O_CLOEXEC));
  if (!file.is_open())
    return cannot("open", errno);
  const std::size_t first = std::bit_cast<std::uintptr_t>(memory.data()) / kPage;
  std::vector<bool> touched((memory.size() + kPage - 1) / kPage);
  std::array<std::uint64_t, kAtOnce> entries{};
  for (std::size_t page = 0; page < touched.size();) {
    const std::size_t count = std::min(kAtOnce, touched.size() - page);
    const ssize_t got = ::pread(file.get(), entries.data(), count * sizeof entries[0],
                                static_cast<off_t>((first + page) * sizeof entries[0]));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < static_cast<ssize_t>(sizeof entries[0]))
      return cannot("read", got < 0 ? errno : EIO);
    for (std::size_t i = 0; i < static_cast<std::size_t>(got) / sizeof entries[0]; ++i)
      touched[page++] = is_touched(entries[i]);
  }
  return touched;
}

} // namespace reveille::vmm
