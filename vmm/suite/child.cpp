#include "vmm/suite/child.hpp"

#include "vmm/suite/orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace reveille::vmm {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr int kMostPieces = 64;    // more than a pipe holds, once nobody fills it any more
constexpr int kLastWaitMs = 5'000; // for a process to go that was sent a SIGKILL

/// Where this process or this host has no more of something, another could do it.
tl::unexpected<Error> cannot(std::string_view what, int why) {
  std::string_view limit;
  if (why == EMFILE || why == ENFILE)
    limit = "of open files (ulimit -n)";
  else if (why == EAGAIN)
    limit = "of processes (ulimit -u, pids.max of the cgroup)";
  else if (why == ENOMEM)
    limit = "of memory (ulimit -v)";
  else
    return fail(ExitStatus::kBroken, fmt::format("cannot {}: {}", what, std::strerror(why)));
  return fail(ExitStatus::kUnsupported,
              fmt::format("cannot {}: {}; raise the limit {}, or run fewer at a time", what,
                          std::strerror(why), limit));
}

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return cannot("make a pipe for a run", errno);
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  // The other end stays as it is: a program may not expect its output to refuse.
  ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

/// What the child reads, and our end of it, if there is one.
Result<Pipe> make_input(Child::Input input) {
  if (input == Child::Input::kEmpty)
    return Pipe{Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), Fd()};
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return cannot("make a socket for runs", errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// In the new process, up to its program. Nobody else's thread is here, and nothing that is
/// called takes a lock.
[[noreturn]] void become(const char *program, char *const *arguments, const Fd &in, const Fd &out,
                         const Fd &err, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) // it went before that call
    ::_exit(Child::kCannotExecute);
  ::dup2(in.get(), STDIN_FILENO);
  ::dup2(out.get(), STDOUT_FILENO);
  ::dup2(err.get(), STDERR_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  struct sigaction usual = {};
  usual.sa_handler = SIG_DFL;
  for (const int number : {SIGINT, SIGTERM, SIGPIPE})
    ::sigaction(number, &usual, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(program, arguments);
  ::dprintf(STDERR_FILENO, "cannot execute %s: %s\n", program, ::strerrordesc_np(errno));
  ::_exit(Child::kCannotExecute);
}

std::vector<char *> as_argv(const std::string &program, const std::vector<std::string> &arguments) {
  std::vector<char *> argv{const_cast<char *>(program.c_str())};
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  return argv;
}

/// Reads one piece; whether there may be more. Closes the descriptor at the end of the text.
template <class Keep> bool read_piece(Fd &fd, Keep keep) {
  if (!fd.is_open())
    return false;
  std::array<char, kPiece> piece; // NOLINT(cppcoreguidelines-pro-type-member-init)
  const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
  if (got > 0)
    keep(std::string_view(piece.data(), static_cast<std::size_t>(got)));
  else if (got == 0 || (errno != EAGAIN && errno != EINTR))
    fd.reset();
  return got > 0;
}

} // namespace

Child::Child(pid_t pid, Fd end, Fd out, Fd err, Fd orders)
    : pid_(pid), end_(std::move(end)), out_pipe_(std::move(out)), err_pipe_(std::move(err)),
      orders_(std::move(orders)) {}

Child::Child(Child &&other) noexcept
    : pid_(std::exchange(other.pid_, 0)), end_(std::move(other.end_)), out_pipe_(std::move(other.out_pipe_)),
      err_pipe_(std::move(other.err_pipe_)), orders_(std::move(other.orders_)), out_(std::move(other.out_)),
      err_(std::move(other.err_)), out_cut_(other.out_cut_) {}

Child::~Child() {
  if (pid_ == 0)
    return;
  tell(SIGKILL);
  pollfd ended = {.fd = end_.get(), .events = POLLIN, .revents = 0};
  while (::poll(&ended, 1, kLastWaitMs) < 0 && errno == EINTR) {
  }
  siginfo_t info;
  ::waitid(P_PIDFD, static_cast<id_t>(end_.get()), &info, WEXITED | WNOHANG);
}

Result<Child> Child::start(const std::string &program, const std::vector<std::string> &arguments,
                           Input input) {
  auto out = make_pipe();
  auto err = make_pipe();
  if (!out || !err)
    return tl::unexpected((out ? err : out).error());
  auto in = make_input(input);
  if (!in)
    return tl::unexpected(in.error());
  const std::vector<char *> argv = as_argv(program, arguments);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0)
    return cannot("start a process", errno);
  if (pid == 0)
    become(program.c_str(), argv.data(), in->read, out->write, err->write, parent);
  ::setpgid(pid, pid); // whoever of the two comes first: a signal to the group finds it at once
  // Not pidfd_open(): glibc 2.36 declares it with C++ linkage to C++, and has it with C linkage.
  Fd end(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!end.is_open()) {
    const int why = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return cannot("watch a process", why);
  }
  return Child(pid, std::move(end), std::move(out->read), std::move(err->read), std::move(in->write));
}

void Child::keep_out(std::string_view text) {
  const std::size_t room = kMostOutput - out_.size();
  out_cut_ = out_cut_ || text.size() > room;
  out_ += text.substr(0, room);
}

void Child::keep_err(std::string_view text) {
  err_ += text;
  if (err_.size() > 2 * kErrorTail)
    err_.erase(0, err_.size() - kErrorTail);
}

void Child::read_out() {
  read_piece(out_pipe_, [this](std::string_view text) { keep_out(text); });
}

void Child::read_err() {
  read_piece(err_pipe_, [this](std::string_view text) { keep_err(text); });
}

/// What is in the pipes, once nobody writes.
void Child::take_rest() {
  for (int i = 0; i < kMostPieces && read_piece(out_pipe_, [this](auto text) { keep_out(text); }); ++i) {
  }
  for (int i = 0; i < kMostPieces && read_piece(err_pipe_, [this](auto text) { keep_err(text); }); ++i) {
  }
}

bool Child::give(const std::vector<std::string> &words) {
  take_rest();
  out_.clear();
  err_.clear();
  out_cut_ = false;
  return send_order(orders_, words);
}

std::optional<int> Child::answer() {
  if (!orders_.is_open())
    return std::nullopt;
  const auto status = take_answer(orders_);
  if (status)
    take_rest(); // it was written before the answer was
  return status;
}

void Child::tell(int signal) const {
  if (pid_ != 0)
    ::kill(-pid_, signal);
}

std::optional<ChildStatus> Child::collect() {
  siginfo_t info = {};
  const auto pidfd = static_cast<id_t>(end_.get());
  if (::waitid(P_PIDFD, pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
    return std::nullopt;
  tell(SIGKILL); // until it is reaped, the group's number is nobody else's
  take_rest();
  ::waitid(P_PIDFD, pidfd, &info, WEXITED);
  pid_ = 0;
  return ChildStatus{.exited = info.si_code == CLD_EXITED, .number = info.si_status};
}

} // namespace reveille::vmm
