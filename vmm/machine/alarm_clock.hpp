// Wakes CPUs when their timers are due while they run.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace reveille::vmm {

/// The clock of the timers: monotonic, nanoseconds.
using AlarmTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
[[nodiscard]] std::uint64_t alarm_now_ns();
[[nodiscard]] AlarmTime alarm_time(std::uint64_t ns); ///< the far future is as far as the clock goes

/// One thread for all: a CPU that halts waits for its timer itself, and only one that runs must be
/// got out. The thread starts with the first alarm.
class AlarmClock {
public:
  /// `ring` is called with a CPU's index, by the clock's own thread; no more once it is destroyed.
  AlarmClock(std::size_t cpus, std::function<void(std::size_t)> ring);
  ~AlarmClock();
  AlarmClock(const AlarmClock &) = delete;
  AlarmClock &operator=(const AlarmClock &) = delete;

  /// Any thread: rings for `cpu` at `ns`, once; in place of what was set for it before.
  void set(std::size_t cpu, std::uint64_t ns);

private:
  void run();

  std::function<void(std::size_t)> ring_;
  std::mutex mutex_; ///< guards what follows
  std::condition_variable changed_;
  std::vector<std::uint64_t> due_; ///< by CPU; 0: none
  std::set<std::pair<std::uint64_t, std::size_t>> queue_;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace reveille::vmm
