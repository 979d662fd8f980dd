#include "vmm/kvm/kick_signal.hpp"

#include <csignal>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mutex>

namespace reveille::vmm {
namespace {

void install_handler() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART; // KVM_RUN ends all the same; other calls go on
  sigemptyset(&action.sa_mask);
  sigaction(kick_signal(), &action, nullptr);
}

} // namespace

/// A real-time signal, so that nothing else in the process means something by it.
int kick_signal() { return SIGRTMIN; }

void take_kick_signal() {
  static std::once_flag once;
  std::call_once(once, install_handler);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, kick_signal());
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void send_kick_signal(pid_t tid) { ::syscall(SYS_tgkill, ::getpid(), tid, kick_signal()); }

} // namespace reveille::vmm
