#include "guest/smp/area.hpp"

#include "guest/smp/panic.hpp"

namespace reveille::guest::smp {

namespace {

/// The head of the free list: 31:0 the first token, 63:32 how often it has changed, so that a
/// token that has gone and come back is not taken for one that never went.
constexpr std::uint64_t head_after(std::uint64_t head, std::uint32_t token) {
  return ((head >> 32) + 1) << 32 | token;
}

} // namespace

std::uint32_t AreaPool::take() {
  std::uint32_t token = take_free();
  if (token == 0)
    token = take_unused();
  if (token == 0)
    return 0;
  Area &area = at(token);
  for (std::uint64_t &word : area.guard)
    word = Area::kGuard;
  area.failure = {};
  return token;
}

std::uint32_t AreaPool::take_free() {
  // Acquire: pairs with the release in put(); what the last owner did is over.
  std::uint64_t head = free_.load(std::memory_order_acquire);
  for (;;) {
    const auto token = static_cast<std::uint32_t>(head);
    if (token == 0)
      return 0;
    // May be another's by now; then the swap fails.
    const std::uint32_t next = at(token).next_free.load(std::memory_order_relaxed);
    if (free_.compare_exchange_weak(head, head_after(head, next), std::memory_order_acquire))
      return token;
  }
}

std::uint32_t AreaPool::take_unused() {
  std::uint32_t used = unused_.load(std::memory_order_relaxed);
  while (used < count_)
    if (unused_.compare_exchange_weak(used, used + 1, std::memory_order_relaxed))
      return used + 1;
  return 0;
}

void AreaPool::put(std::uint32_t token) {
  Area &area = at(token);
  if (!area.is_whole())
    panic();
  std::uint64_t head = free_.load(std::memory_order_relaxed);
  do
    area.next_free.store(static_cast<std::uint32_t>(head), std::memory_order_relaxed);
  while (!free_.compare_exchange_weak(head, head_after(head, token), std::memory_order_release,
                                      std::memory_order_relaxed));
}

} // namespace reveille::guest::smp
