// CPUs that run code of their own beside CPU 0's, in one flow of time: a thread each, of which
// one at a time runs, and only while CPU 0 waits. So a run is the same each time.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <semaphore>
#include <thread>

namespace reveille::unit {

class Contexts {
public:
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  Contexts() = default;
  Contexts(const Contexts &) = delete;
  Contexts &operator=(const Contexts &) = delete;
  ~Contexts() { end(); }

  /// Ends whatever they do.
  void end() {
    for (auto &[cpu, context] : contexts_)
      while (!context.over) {
        context.is_cut_short = true;
        resume(cpu);
      }
    for (auto &[cpu, context] : contexts_)
      context.thread.join();
    contexts_.clear();
  }

  /// The CPU that runs.
  [[nodiscard]] unsigned self() const { return self_; }
  [[nodiscard]] bool is_busy(unsigned cpu) const {
    const auto found = contexts_.find(cpu);
    return found != contexts_.end() && !found->second.over;
  }

  /// A CPU that is not busy begins to do something, as soon as CPU 0 waits.
  void begin(unsigned cpu, std::function<void()> body) {
    if (const auto old = contexts_.find(cpu); old != contexts_.end()) {
      old->second.thread.join();
      contexts_.erase(old);
    }
    Context &context = contexts_[cpu];
    context.is_woken = true;
    context.thread = std::thread([&context, does = std::move(body)] {
      context.go.acquire();
      try {
        if (!context.is_cut_short)
          does();
      } catch (const CutShort &) {
      }
      context.over = true;
      context.back.release();
    });
  }

  void wake(unsigned cpu) {
    if (is_busy(cpu))
      contexts_.at(cpu).is_woken = true;
  }

  /// By the CPU that runs, which is not CPU 0: waits for a wake with until() true, or for a time.
  template <class Until> void wait(Until &&until, std::uint64_t deadline) {
    Context &context = contexts_.at(self_);
    context.deadline = deadline;
    while (!context.is_due && !until()) {
      context.is_woken = false;
      context.back.release();
      context.go.acquire();
      if (context.is_cut_short)
        throw CutShort{};
    }
    context.is_due = false;
    context.deadline = kNever;
  }

  /// By CPU 0: lets one CPU run that has something to do at this time. False: none has.
  bool run_one(std::uint64_t time) {
    for (auto &[cpu, context] : contexts_)
      if (!context.over && (context.is_woken || context.deadline <= time)) {
        context.is_due = context.deadline <= time;
        context.is_woken = false;
        resume(cpu);
        return true;
      }
    return false;
  }

  /// When the first of them has something to do even if nobody wakes it.
  [[nodiscard]] std::uint64_t deadline() const {
    std::uint64_t first = kNever;
    for (const auto &[cpu, context] : contexts_)
      if (!context.over)
        first = std::min(first, context.deadline);
    return first;
  }

private:
  struct CutShort {}; ///< ends what a CPU does when the test is over

  struct Context {
    std::thread thread;
    std::binary_semaphore go{0}, back{0};
    std::uint64_t deadline = kNever;
    bool is_woken = false;
    bool is_due = false;
    bool is_cut_short = false;
    bool over = false;
  };

  void resume(unsigned cpu) {
    Context &context = contexts_.at(cpu);
    self_ = cpu;
    context.go.release();
    context.back.acquire();
    self_ = 0;
  }

  std::map<unsigned, Context> contexts_;
  unsigned self_ = 0;
};

} // namespace reveille::unit
