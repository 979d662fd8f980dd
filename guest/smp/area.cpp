#include "guest/smp/area.hpp"

#include "guest/smp/panic.hpp"

namespace reveille::guest::smp {

std::uint32_t AreaPool::take() {
  std::uint32_t token = free_;
  if (token != 0)
    free_ = at(token).next_free;
  else if (unused_ < count_)
    token = ++unused_;
  else
    return 0;
  Area &area = at(token);
  for (std::uint64_t &word : area.guard)
    word = Area::kGuard;
  area.failure = {};
  return token;
}

void AreaPool::put(std::uint32_t token) {
  Area &area = at(token);
  if (!area.is_whole())
    panic();
  area.next_free = free_;
  free_ = token;
}

} // namespace reveille::guest::smp
