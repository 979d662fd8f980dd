// Ctrl-C: asks a run to end.
#pragma once

namespace reveille::vmm {

/// While it lives, SIGINT and SIGTERM are remembered instead of ending the process. The
/// second one ends it at once with status 130.
class InterruptGuard {
public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard &) = delete;
  InterruptGuard &operator=(const InterruptGuard &) = delete;

  [[nodiscard]] static bool interrupted();
};

} // namespace reveille::vmm
