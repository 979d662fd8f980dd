// Runs a command and says when each line of its output came.
//   stamped [--until TEXT] SECONDS COMMAND [ARGUMENT...]
// Standard output and standard error are read together, and a line has the time of its first byte, in seconds
// from just before the command was started. The command is killed after SECONDS, or once it has written a
// line with TEXT in it. What was seen goes to standard output as JSON. Exit status: 0 measured, whatever
// became of the command; 2 usage; 4 it could not be run.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Line {
  double seconds;
  std::string text;
};

/// Puts bytes together to lines as they come.
class Lines {
public:
  void take(std::string_view bytes, double now) {
    for (const char c : bytes) {
      if (!open_)
        lines_.push_back({now, {}});
      open_ = c != '\n';
      if (open_ && c != '\r')
        lines_.back().text += c;
    }
  }

  /// Whether a line that has come whole has this text in it.
  [[nodiscard]] bool has(std::string_view text) const {
    const auto whole = lines_.end() - (open_ ? 1 : 0);
    return std::any_of(lines_.begin(), whole,
                       [&](const Line &line) { return line.text.find(text) != std::string::npos; });
  }

  [[nodiscard]] const std::vector<Line> &all() const { return lines_; }

private:
  std::vector<Line> lines_;
  bool open_ = false;
};

struct Seen {
  Lines lines;
  int status = 0; ///< the exit status, or 128 plus the signal that ended it, as a shell has it
  bool out_of_time = false;
  double seconds = 0; ///< until it was gone
};

double since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

/// Starts the command with its output on `pipe`. Returns 0 or the error.
int start(char *const command[], const int pipe[2], pid_t &pid) {
  posix_spawn_file_actions_t actions = {};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
  const int error = posix_spawnp(&pid, command[0], &actions, nullptr, command, environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/// Reads until the command has closed its end, has written `until`, or the time is up; in the last two it is
/// killed.
void watch(int from, pid_t pid, std::string_view until, Clock::time_point began, double limit, Seen &seen) {
  std::array<char, 65536> buffer{};
  for (;;) {
    const double left = limit - since(began);
    pollfd ready = {.fd = from, .events = POLLIN, .revents = 0};
    const int count = left > 0 ? poll(&ready, 1, static_cast<int>(left * 1000) + 1) : 0;
    if (count < 0 && errno == EINTR)
      continue;
    seen.out_of_time = count <= 0;
    if (seen.out_of_time)
      break;
    const double now = since(began);
    const ssize_t got = read(from, buffer.data(), buffer.size());
    if (got <= 0)
      return;
    seen.lines.take({buffer.data(), static_cast<std::size_t>(got)}, now);
    if (!until.empty() && seen.lines.has(until))
      break;
  }
  kill(pid, SIGKILL);
}

/// False when the command cannot be run.
bool run(char *const command[], std::string_view until, double limit, Seen &seen) {
  int pipe[2] = {};
  if (pipe2(pipe, O_CLOEXEC) != 0) {
    fmt::print(stderr, "stamped: no pipe: {}\n", std::strerror(errno));
    return false;
  }
  pid_t pid = 0;
  const auto began = Clock::now();
  const int error = start(command, pipe, pid);
  close(pipe[1]);
  if (error == 0) {
    watch(pipe[0], pid, until, began, limit, seen);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    seen.seconds = since(began);
    seen.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  } else {
    fmt::print(stderr, "stamped: cannot run {}: {}\n", command[0], std::strerror(error));
  }
  close(pipe[0]);
  return error == 0;
}

int dispatch(int count, char **arguments) {
  std::string_view until;
  char **next = arguments + 1;
  if (count > 2 && std::string_view(*next) == "--until") {
    until = next[1];
    next += 2;
  }
  char *rest = nullptr;
  const double limit = *next != nullptr ? std::strtod(*next, &rest) : 0;
  if (rest == nullptr || *rest != '\0' || !(limit > 0 && limit < 1e6) || next[1] == nullptr) {
    fmt::print(stderr, "usage: stamped [--until TEXT] SECONDS COMMAND [ARGUMENT...]\n");
    return 2;
  }
  Seen seen;
  if (!run(next + 1, until, limit, seen))
    return 4;
  nlohmann::json lines = nlohmann::json::array();
  for (const Line &line : seen.lines.all())
    lines.push_back({{"seconds", line.seconds}, {"text", line.text}});
  const nlohmann::json told = {{"status", seen.status},
                               {"out_of_time", seen.out_of_time},
                               {"seconds", seen.seconds},
                               {"lines", std::move(lines)}};
  // Anything may be in what a program writes: what is no UTF-8 is replaced.
  fmt::print("{}\n", told.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return std::fflush(stdout) == 0 ? 0 : 4;
}

} // namespace

int main(int count, char **arguments) {
  try {
    return dispatch(count, arguments);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "stamped: failed: %s\n", error.what());
    return 4;
  }
}
