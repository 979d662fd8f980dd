#include "vmm/lab/interrupt.hpp"

#include "vmm/base/error.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>

namespace reveille::vmm {

namespace {

int g_guards = 0;                  // how many live, one in the other
std::atomic<int> g_interrupts = 0; // lock-free, so that a handler may touch it
static_assert(std::atomic<int>::is_always_lock_free);

void note_interrupt(int) {
  if (g_interrupts.fetch_add(1) > 0)
    std::_Exit(static_cast<int>(ExitStatus::kInterrupted));
}

void handle_with(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

} // namespace

InterruptGuard::InterruptGuard() {
  if (g_guards++ != 0)
    return;
  g_interrupts = 0;
  handle_with(note_interrupt);
}

InterruptGuard::~InterruptGuard() {
  if (--g_guards == 0)
    handle_with(SIG_DFL);
}

bool InterruptGuard::interrupted() { return g_interrupts.load() > 0; }

} // namespace reveille::vmm
