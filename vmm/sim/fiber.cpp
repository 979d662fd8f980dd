#include "vmm/sim/fiber.hpp"

#include "vmm/sim/sanitizer.hpp"

#include <boost/context/detail/fcontext.hpp>

#include <utility>

// Boost.Context's lower half: the upper one unwinds a fiber that it throws away, and what a reset
// takes a processor out of is not unwound either.
namespace reveille::vmm::sim {

namespace context = boost::context::detail;

void Fiber::start(Stack stack, Entry entry, void *argument) {
  stack_ = stack;
  entry_ = entry;
  argument_ = argument;
  const auto begin = [](context::transfer_t from) {
    auto *self = static_cast<Fiber *>(from.data);
    self->back_ = from.fctx;
    enter(self);
  };
  context_ = context::make_fcontext(stack.low + stack.size, stack.size, begin);
}

void Fiber::enter(void *fiber) {
  auto *self = static_cast<Fiber *>(fiber);
  asan::end_switch(nullptr, &self->back_low_, &self->back_size_);
  self->entry_(self->argument_);
  self->switch_back(nullptr); // for good
}

void Fiber::resume() {
  void *fake = nullptr;
  asan::begin_switch(&fake, stack_.low, stack_.size);
  const context::transfer_t from = context::jump_fcontext(std::exchange(context_, nullptr), this);
  asan::end_switch(fake, nullptr, nullptr);
  if (from.data != nullptr) // it was suspended, and has not ended
    context_ = from.fctx;
}

void Fiber::suspend() {
  void *fake = nullptr;
  switch_back(&fake);
  asan::end_switch(fake, &back_low_, &back_size_);
}

/// `fake` is null when it is left for good, which is what the one who resumed it is told.
void Fiber::switch_back(void **fake) {
  asan::begin_switch(fake, back_low_, back_size_);
  const context::transfer_t from = context::jump_fcontext(back_, fake == nullptr ? nullptr : this);
  back_ = from.fctx;
}

Stack Fiber::discard() {
  context_ = nullptr;
  return std::exchange(stack_, Stack{});
}

} // namespace reveille::vmm::sim
