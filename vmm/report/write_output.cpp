#include "vmm/report/write_output.hpp"

#include "vmm/base/fd.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>

namespace reveille::vmm {
namespace {

tl::unexpected<Error> cannot_write(const std::string &path, int why) {
  return fail(ExitStatus::kUsage, fmt::format("cannot write the result to {}: {}",
                                              path == "-" ? "standard output" : path, std::strerror(why)));
}

using Pieces = std::span<const std::string_view>;

/// Returns 0, or why not.
int write_all(int fd, Pieces pieces) {
  for (std::string_view text : pieces)
    while (!text.empty()) {
      const ssize_t written = ::write(fd, text.data(), text.size());
      if (written < 0 && errno != EINTR)
        return errno;
      if (written > 0)
        text.remove_prefix(static_cast<std::size_t>(written));
    }
  return 0;
}

/// The file that a name stands for, so that a symbolic link stays one.
std::string resolved(const std::string &path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

/// A file that nobody else has, beside `path`. Returns its name, or nothing with errno set.
std::string create_beside(const std::string &path, mode_t mode, Fd &fd) {
  for (int i = 0; i < 100; ++i) {
    std::string name = fmt::format("{}.{}-{}.tmp", path, ::getpid(), i);
    fd = Fd(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (fd.is_open())
      return name;
    if (errno != EEXIST)
      break;
  }
  return {};
}

/// Returns 0, or why not; then nothing is left behind.
int replace_file(const std::string &path, const struct stat *before, Pieces text) {
  Fd fd;
  const std::string temporary = create_beside(path, 0666, fd);
  if (temporary.empty())
    return errno;
  int why = write_all(fd.get(), text);
  if (why == 0 && before != nullptr && ::fchmod(fd.get(), before->st_mode & 07777) != 0)
    why = errno;
  // Some file systems tell only now that they have no room.
  if (why == 0 && ::fsync(fd.get()) != 0 && errno != EINVAL)
    why = errno;
  fd.reset();
  if (why == 0 && ::rename(temporary.c_str(), path.c_str()) != 0)
    why = errno;
  if (why != 0)
    ::unlink(temporary.c_str());
  return why;
}

int write_directly(const std::string &path, Pieces text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  return fd.is_open() ? write_all(fd.get(), text) : errno;
}

} // namespace

Result<void> write_output(const std::string &path, Pieces pieces) {
  int why = 0;
  struct stat before = {};
  if (path == "-") {
    // What was printed before comes first.
    why = std::fflush(stdout) != 0 ? errno : write_all(STDOUT_FILENO, pieces);
  } else if (::stat(path.c_str(), &before) != 0) {
    why = errno == ENOENT ? replace_file(path, nullptr, pieces) : errno;
  } else if (S_ISREG(before.st_mode)) {
    // Replacing a file must not get around its being read-only.
    why = ::access(path.c_str(), W_OK) != 0 ? errno : replace_file(resolved(path), &before, pieces);
  } else {
    why = write_directly(path, pieces);
  }
  if (why != 0)
    return cannot_write(path, why);
  return {};
}

Result<void> write_output(const std::string &path, std::string_view text) {
  return write_output(path, Pieces(&text, 1));
}

} // namespace reveille::vmm
