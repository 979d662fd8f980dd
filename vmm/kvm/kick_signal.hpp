// The signal that gets a thread out of KVM_RUN.
#pragma once

#include <sys/types.h>

namespace reveille::vmm {

/// Installs a handler that does nothing, once per process, and unblocks the signal in the
/// calling thread.
void take_kick_signal();

/// Its number.
[[nodiscard]] int kick_signal();

/// Sends it to thread `tid` of this process. A thread that has ended meanwhile is no error.
void send_kick_signal(pid_t tid);

} // namespace reveille::vmm
