#include "vmm/machine/alarm_clock.hpp"

#include <algorithm>
#include <limits>

namespace reveille::vmm {

std::uint64_t alarm_now_ns() {
  return static_cast<std::uint64_t>(AlarmTime(std::chrono::steady_clock::now()).time_since_epoch().count());
}

AlarmTime alarm_time(std::uint64_t ns) {
  constexpr auto kLast = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / 2);
  return AlarmTime(std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(ns, kLast))));
}

AlarmClock::AlarmClock(std::size_t cpus, std::function<void(std::size_t)> ring)
    : ring_(std::move(ring)), due_(cpus) {}

AlarmClock::~AlarmClock() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable())
    thread_.join();
}

void AlarmClock::set(std::size_t cpu, std::uint64_t ns) {
  const std::lock_guard lock(mutex_);
  std::uint64_t &due = due_.at(cpu);
  if (due != 0)
    queue_.erase({due, cpu});
  due = std::max<std::uint64_t>(ns, 1);
  const auto at = queue_.emplace(due, cpu).first;
  if (!thread_.joinable())
    thread_ = std::thread([this] { run(); });
  if (at == queue_.begin())
    changed_.notify_one();
}

void AlarmClock::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (queue_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto [due, cpu] = *queue_.begin();
    if (due > alarm_now_ns()) {
      changed_.wait_until(lock, alarm_time(due));
      continue;
    }
    queue_.erase(queue_.begin());
    due_[cpu] = 0;
    lock.unlock();
    ring_(cpu);
    lock.lock();
  }
}

} // namespace reveille::vmm
