// Code on a stack of its own, which runs until it suspends itself. It can be thrown away at any
// time that it is suspended: nothing on its stack is destroyed then, so nothing there may own
// anything.
#pragma once

#include "vmm/sim/stacks.hpp"

#include <cstddef>

namespace reveille::vmm::sim {

class Fiber {
public:
  /// What it runs. No exception may leave it.
  using Entry = void (*)(void *argument);

  Fiber() = default;
  Fiber(const Fiber &) = delete;
  Fiber &operator=(const Fiber &) = delete;

  /// The next resume() calls entry(argument) on `stack`, which stays its owner's to give back.
  void start(Stack stack, Entry entry, void *argument);

  /// Runs it until it suspends itself or its entry returns. By whoever is not it.
  void resume();

  /// Goes back to who has resumed it. By the fiber itself.
  void suspend();

  /// Whether it can be resumed: it was started, and its entry has not returned.
  [[nodiscard]] bool is_live() const { return context_ != nullptr; }
  [[nodiscard]] const Stack &stack() const { return stack_; }

  /// Throws away what it was doing. Returns its stack.
  Stack discard();

private:
  static void enter(void *fiber);
  void switch_back(void **fake);

  void *context_ = nullptr;        ///< where it goes on
  void *back_ = nullptr;           ///< where the one who has resumed it goes on
  const void *back_low_ = nullptr; ///< and on which stack, for AddressSanitizer
  std::size_t back_size_ = 0;
  Stack stack_;
  Entry entry_ = nullptr;
  void *argument_ = nullptr;
};

} // namespace reveille::vmm::sim
