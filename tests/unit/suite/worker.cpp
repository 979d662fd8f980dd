// A worker whose orders are scripts of /bin/sh. "die" has it die itself, "end" has it take no more, a script
// learns its process from $WORKER.
#include "vmm/suite/orders.hpp"

#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

int main() {
  using namespace reveille::vmm;
  std::signal(SIGTERM, [](int) {}); // it sees its run through, as the vmm does
  ::setenv("WORKER", std::to_string(::getpid()).c_str(), 1);
  serve_orders([](const std::vector<std::string> &words) -> std::optional<int> {
    if (words.front() == "die")
      ::raise(SIGKILL); // which no sanitizer takes for itself
    if (words.front() == "end")
      return std::nullopt;
    return WEXITSTATUS(std::system(words.front().c_str())); // NOLINT(cert-env33-c,concurrency-mt-unsafe)
  });
  return 9;
}
