#include "vmm/suite/signal_watch.hpp"

#include <sys/signalfd.h>

namespace reveille::vmm {

SignalWatch::SignalWatch() {
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGINT);
  sigaddset(&watched, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &watched, &before_);
  fd_ = Fd(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
}

SignalWatch::~SignalWatch() {
  static_cast<void>(take()); // what came last has been seen too: it ends nobody now
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool SignalWatch::take() {
  bool came = false;
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    came = true;
  return came;
}

} // namespace reveille::vmm
