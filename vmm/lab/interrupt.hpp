// Ctrl-C: asks a run to end.
#pragma once

namespace reveille::vmm {

/// While it lives, SIGINT and SIGTERM are remembered instead of ending the process. The
/// second one ends it at once with status 130. A call that waits comes back with EINTR. One may live
/// within another, and then remembers what that one does; all of them in one thread.
class InterruptGuard {
public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard &) = delete;
  InterruptGuard &operator=(const InterruptGuard &) = delete;

  [[nodiscard]] static bool interrupted();
};

} // namespace reveille::vmm
