// A machine with its driver, whose CPUs bring up others once they are up.
#pragma once

#include "scripted_machine.hpp"

namespace reveille::unit {

struct Tree : Bench {
  explicit Tree(unsigned cpus, unsigned window = 0, std::uint64_t timeout = 1000)
      : Bench([&] {
          core::Settings s = quick(cpus);
          s.strategy = abi::Strategy::kTree;
          s.window = window;
          s.timeout = timeout;
          return s;
        }()) {
    machine.habit = [](unsigned, std::uint32_t) { return Habit{}; };
  }

  [[nodiscard]] std::size_t logged(EventKind kind) const { return machine.logged(kind).size(); }
  /// Who has brought up, or given up, each CPU.
  [[nodiscard]] std::map<unsigned, unsigned> kicked_by() const {
    std::map<unsigned, unsigned> by;
    for (const Record &record : machine.logged(EventKind::kKick))
      by[record.cpu] = record.writer;
    return by;
  }
};

} // namespace reveille::unit
