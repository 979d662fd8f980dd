// Relacy's atomics with std::atomic's face, and what a model needs beside them: halting, and
// phases in which nothing races.
#pragma once

#include <relacy/relacy.hpp>
// Relacy takes words of the language for itself; core is to mean them as they are.
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef errno

#include "core/protocol/states.hpp"

#include <atomic>
#include <cstdint>

namespace reveille::model {

/// Thrown in an AP's thread when its CPU is reset.
struct Reset {};

class Bell;

/// What the threads of one execution share that is not part of the model's memory. Relacy runs
/// all threads in one, so it is plain.
struct Stage {
  /// Whether the threads are interleaved in every way and see stale values. If not, one runs
  /// until it halts, and then the first of those that it has rung: so a long run can be searched
  /// in full where it matters.
  bool racing = true;
  unsigned running = 0;     ///< threads that do not halt; of interest only when nothing races
  Bell *rung[3] = {};       ///< by thread: it halts, and is to go on when all others halt
  bool reset[3] = {};       ///< by thread: its CPU is to be reset
  unsigned dies_at[3] = {}; ///< by thread: it dies before this operation, counted from 1; 0: it does not
};
inline Stage stage;

/// One operation on the model's memory.
class Operation {
public:
  Operation() {
    if (stage.reset[rl::thread_index()]) {
      stage.reset[rl::thread_index()] = false;
      throw Reset{};
    }
    unsigned &dies_at = stage.dies_at[rl::thread_index()];
    if (dies_at != 0 && --dies_at == 0)
      throw Reset{};
    if (stage.racing)
      rl::ctx().sched();
    quiet_ = !stage.racing;
    // From here on the operation is not torn from what is decided about it.
    rl::ctx().disable_preemption();
  }
  ~Operation() { rl::ctx().enable_preemption(); }
  Operation(const Operation &) = delete;
  Operation &operator=(const Operation &) = delete;
  [[nodiscard]] bool quiet() const { return quiet_; }

private:
  bool quiet_ = false;
};

[[nodiscard]] inline rl::memory_order order(std::memory_order o) {
  switch (o) {
  case std::memory_order_relaxed:
    return rl::mo_relaxed;
  case std::memory_order_consume:
  case std::memory_order_acquire:
    return rl::mo_acquire;
  case std::memory_order_release:
    return rl::mo_release;
  case std::memory_order_acq_rel:
    return rl::mo_acq_rel;
  default:
    return rl::mo_seq_cst;
  }
}

class Cell {
public:
  Cell() { cell_.store(0, rl::mo_relaxed, RL_INFO); }

  std::uint64_t load(std::memory_order o) {
    const Operation operation;
    if (!operation.quiet())
      return cell_.load(order(o), RL_INFO);
    std::uint64_t seen = ~cell_.debug_value(); // a swap that fails sees the latest value
    cell_.compare_exchange_strong(seen, 0, order(o), RL_INFO, order(o), RL_INFO);
    return seen;
  }
  void store(std::uint64_t v, std::memory_order o) {
    const Operation operation;
    cell_.store(v, order(o), RL_INFO);
  }
  std::uint64_t exchange(std::uint64_t v, std::memory_order o) {
    const Operation operation;
    return cell_.exchange(v, order(o), RL_INFO);
  }
  std::uint64_t fetch_or(std::uint64_t v, std::memory_order o) {
    const Operation operation;
    return cell_.fetch_or(v, order(o), RL_INFO);
  }
  bool compare_exchange_strong(std::uint64_t &expected, std::uint64_t v, std::memory_order success,
                               std::memory_order failure) {
    const Operation operation;
    // Relacy knows no failure stronger than success: a swap that will fail is given the
    // order that it then has.
    const rl::memory_order o = order(cell_.debug_value() == expected ? success : failure);
    const rl::memory_order fails =
        o == rl::mo_acquire || o == rl::mo_acq_rel ? rl::mo_acquire : rl::mo_relaxed;
    return cell_.compare_exchange_strong(expected, v, o, RL_INFO, fails, RL_INFO);
  }
  /// From here on this thread sees the value that is there now, or a later one, and by that
  /// nothing else: what an interrupt tells a CPU about the word that was written before it.
  void catch_up() {
    rl::ctx().disable_preemption();
    std::uint64_t seen = ~cell_.debug_value();
    cell_.compare_exchange_strong(seen, 0, rl::mo_relaxed, RL_INFO, rl::mo_relaxed, RL_INFO);
    rl::ctx().enable_preemption();
  }
  [[nodiscard]] std::uint64_t latest() const { return cell_.debug_value(); }

private:
  rl::atomic<std::uint64_t> cell_;
};

/// A sync word: every swap must be in the table, made by whom the table names.
class WordCell : public Cell {
public:
  /// The CPU whose word it is, if each CPU has one thread; 0: any thread but the first is its own.
  void belongs_to(unsigned cpu) { cpu_ = cpu; }
  bool compare_exchange_strong(std::uint64_t &expected, std::uint64_t v, std::memory_order success,
                               std::memory_order failure) {
    const auto from = abi::Word::from(expected);
    if (!Cell::compare_exchange_strong(expected, v, success, failure))
      return false;
    const unsigned thread = rl::thread_index();
    const bool own = cpu_ == 0 ? thread != 0 : thread == cpu_;
    RL_ASSERT(
        protocol::is_legal(from, abi::Word::from(v), own ? protocol::Mover::kAp : protocol::Mover::kCp));
    return true;
  }

private:
  unsigned cpu_ = 0;
};

/// Plain memory: what is not ordered is a race.
template <class T> class Plain {
public:
  Plain() { var_(RL_INFO) = T{}; }
  [[nodiscard]] T get() { return var_(RL_INFO); }
  void set(T v) { var_(RL_INFO) = v; }

private:
  rl::var<T> var_;
};

/// How a thread halts until it is rung. Rings while it does not halt are remembered, as an
/// interrupt is. A ring orders nothing; it only says that by now there is something to see.
class Bell {
public:
  void ring() {
    const Operation operation;
    rung_ = true;
    if (halted_)
      stage.rung[who_] = this;
    if (stage.racing)
      let_go_on();
  }
  /// With no timer: who halts and is not rung halts for ever, and Relacy says so.
  void halt() {
    { const Operation operation; }
    if (!rung_) {
      who_ = static_cast<rl::thread_id_t>(rl::thread_index());
      halted_ = true;
      leave();
      rl::ctx().park_current_thread(false, false, false, RL_INFO);
    }
    rung_ = false;
    // What this thread had seen before is not seen again instead of what is newer.
    rl::ctx().threadx_->last_yield_ = rl::ctx().threadx_->own_acq_rel_order_;
  }
  /// This thread halts, or has come to its end.
  static void leave() {
    --stage.running;
    if (!stage.racing && stage.running == 0)
      let_go_on(1);
  }
  /// Those that have been rung go on, in their order, or so many of them.
  static void let_go_on(unsigned most = 3) {
    for (Bell *&bell : stage.rung)
      if (bell != nullptr && most != 0) {
        --most;
        ++stage.running;
        bell->halted_ = false;
        rl::ctx().unpark_thread(bell->who_, false, RL_INFO);
        bell = nullptr;
      }
  }

private:
  bool rung_ = false;
  bool halted_ = false;
  rl::thread_id_t who_ = 0;
};

/// From here on the threads race, or do not.
inline void race(bool racing) {
  stage.racing = racing;
  if (racing)
    Bell::let_go_on();
}

/// One turn of a spin.
inline void spin() {
  { const Operation operation; }
  Bell::let_go_on();
  rl::ctx().yield(1, RL_INFO);
}

} // namespace reveille::model
