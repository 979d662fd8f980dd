// Runs a command and says how long it took and what it used.
//   timed SECONDS FILE COMMAND [ARGUMENT...]
// Kills the command when it takes longer than that, and writes what was measured to FILE, as JSON. A program
// of its own, because the kernel counts what the parent had in memory when it forked as the child's peak.
// Exit status: 0 measured, whatever became of the command; 2 usage; 4 it could not be run.
#include <fmt/format.h>

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using Clock = std::chrono::steady_clock;

struct Measured {
  int status = 0; ///< the exit status, or 128 plus the signal that ended it, as a shell has it
  bool out_of_time = false;
  double seconds = 0;
  rusage used = {};
};

double seconds_of(const timeval &time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Waits for SIGCHLD, which must be blocked, at most until `end`. False when the time is up.
bool wait_for_child(const sigset_t &child, Clock::time_point end) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(end - Clock::now()).count();
    if (left <= 0)
      return false;
    const timespec wait = {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    if (sigtimedwait(&child, nullptr, &wait) == SIGCHLD)
      return true;
    if (errno != EINTR && errno != EAGAIN)
      return false;
  }
}

/// Runs `command` with the signals of this process as they were before. False when it cannot be run.
bool measure(char *const command[], double limit, Measured &measured) {
  sigset_t child = {};
  sigset_t before = {};
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, &before);
  posix_spawnattr_t attributes = {};
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &before);
  const auto began = Clock::now();
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, command[0], nullptr, &attributes, command, environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    fmt::print(stderr, "timed: cannot run {}: {}\n", command[0], std::strerror(error));
    return false;
  }
  const auto end = began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limit));
  measured.out_of_time = !wait_for_child(child, end);
  if (measured.out_of_time)
    kill(pid, SIGKILL);
  int status = 0;
  while (wait4(pid, &status, 0, &measured.used) < 0 && errno == EINTR) {
  }
  measured.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  measured.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

} // namespace

int main(int count, char **arguments) {
  char *rest = nullptr;
  const double limit = count > 3 ? std::strtod(arguments[1], &rest) : 0;
  if (count < 4 || *rest != '\0' || !(limit > 0 && limit < 1e6)) {
    fmt::print(stderr, "usage: timed SECONDS FILE COMMAND [ARGUMENT...]\n");
    return 2;
  }
  Measured measured;
  if (!measure(arguments + 3, limit, measured))
    return 4;
  std::FILE *file = std::fopen(arguments[2], "w");
  if (file == nullptr) {
    fmt::print(stderr, "timed: cannot write {}: {}\n", arguments[2], std::strerror(errno));
    return 4;
  }
  fmt::print(file,
             "{{\"status\": {}, \"out_of_time\": {}, \"seconds\": {:.6f}, \"user_seconds\": {:.6f}, "
             "\"system_seconds\": {:.6f}, \"peak_kib\": {}}}\n",
             measured.status, measured.out_of_time, measured.seconds, seconds_of(measured.used.ru_utime),
             seconds_of(measured.used.ru_stime), measured.used.ru_maxrss);
  return std::fclose(file) == 0 ? 0 : 4;
}
