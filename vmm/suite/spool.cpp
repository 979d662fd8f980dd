#include "vmm/suite/spool.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string>

namespace reveille::vmm {
namespace {

tl::unexpected<Error> cannot_keep(int why) {
  return fail(ExitStatus::kBroken,
              fmt::format("cannot keep results in a temporary file: {}", std::strerror(why)));
}

} // namespace

Result<Spool> Spool::create() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "vmm-suite-XXXXXX").string();
  if (error)
    return cannot_keep(error.value());
  Fd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.is_open())
    return fail(ExitStatus::kBroken, fmt::format("cannot create {}: {}", name, std::strerror(errno)));
  ::unlink(name.c_str());
  return Spool(std::move(fd));
}

Result<void> Spool::add(std::size_t order, std::string_view text) {
  const std::size_t at = size_;
  while (size_ - at < text.size()) {
    const std::string_view rest = text.substr(size_ - at);
    const ssize_t written = ::pwrite(fd_.get(), rest.data(), rest.size(), static_cast<off_t>(size_));
    if (written < 0 && errno != EINTR) {
      size_ = at;
      return cannot_keep(errno);
    }
    size_ += written > 0 ? static_cast<std::size_t>(written) : 0;
  }
  pieces_.emplace(order, Piece{at, text.size()});
  return {};
}

Result<std::vector<std::string_view>> Spool::texts() {
  std::vector<std::string_view> all;
  if (size_ == 0)
    return all;
  mapping_ = Mapping::map(fd_.get(), size_);
  if (!mapping_.is_mapped())
    return cannot_keep(errno);
  const std::string_view whole(reinterpret_cast<const char *>(mapping_.bytes().data()), size_);
  for (const auto &[order, piece] : pieces_)
    all.push_back(whole.substr(piece.at, piece.length));
  return all;
}

} // namespace reveille::vmm
