#include "vmm/suite/orders.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <string_view>
#include <sys/socket.h>

namespace reveille::vmm {
namespace {

/// The length of the next packet, once there is one; 0: there are no more.
std::size_t next_length(const Fd &socket) {
  char none = 0;
  ssize_t length = 0;
  do {
    length = ::recv(socket.get(), &none, sizeof none, MSG_PEEK | MSG_TRUNC);
  } while (length < 0 && errno == EINTR);
  return length > 0 ? static_cast<std::size_t>(length) : 0;
}

std::vector<std::string> take_order(const Fd &socket) {
  std::string packet(next_length(socket), '\0');
  if (packet.empty() ||
      ::recv(socket.get(), packet.data(), packet.size(), 0) != static_cast<ssize_t>(packet.size()))
    return {};
  std::vector<std::string> words;
  for (std::size_t at = 0; at < packet.size(); at += words.back().size() + 1)
    words.emplace_back(packet.c_str() + at); // NOLINT(bugprone-suspicious-stringview-data-usage)
  return words;
}

/// Moves standard input elsewhere and leaves nothing in its place.
Fd take_standard_input() {
  Fd socket(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::dup2(nothing.get(), STDIN_FILENO);
  return socket;
}

} // namespace

bool send_order(const Fd &socket, const std::vector<std::string> &words) {
  std::string packet;
  for (const std::string &word : words)
    packet.append(word.c_str(), word.size() + 1);
  return ::send(socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<ssize_t>(packet.size());
}

std::optional<int> take_answer(const Fd &socket) {
  int status = 0;
  if (::recv(socket.get(), &status, sizeof status, MSG_DONTWAIT) != static_cast<ssize_t>(sizeof status))
    return std::nullopt;
  return status;
}

void serve_orders(const std::function<std::optional<int>(const std::vector<std::string> &words)> &carry_out) {
  const Fd socket = take_standard_input();
  for (;;) {
    const auto words = take_order(socket);
    if (words.empty())
      return;
    const auto status = carry_out(words);
    std::fflush(nullptr);
    if (!status || ::send(socket.get(), &*status, sizeof *status, MSG_NOSIGNAL) < 0)
      return;
  }
}

} // namespace reveille::vmm
