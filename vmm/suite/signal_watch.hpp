// Ctrl-C and SIGTERM as something to poll for.
#pragma once

#include "vmm/base/fd.hpp"

#include <csignal>

namespace reveille::vmm {

/// While it lives, SIGINT and SIGTERM do not end the process: they are read from fd(). For a
/// process with one thread; children must put their signal mask right themselves.
class SignalWatch {
public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch &) = delete;
  SignalWatch &operator=(const SignalWatch &) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); } ///< to poll for input

  /// Whether a signal has come since this was last asked.
  [[nodiscard]] bool take();

private:
  sigset_t before_{};
  Fd fd_;
};

} // namespace reveille::vmm
