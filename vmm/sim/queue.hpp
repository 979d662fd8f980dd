// What is due when: the future of a simulated machine, in one order for one seed.
#pragma once

#include "vmm/scenario/scenario.hpp"
#include "vmm/sim/time.hpp"

#include <algorithm>
#include <vector>

namespace reveille::vmm::sim {

enum class DueType : std::uint8_t {
  kRun,   ///< the CPU has spent the time that it wanted to
  kWake,  ///< an interrupt that says nothing more
  kWork,  ///< an interrupt with work for the CPU's worker
  kTimer, ///< the CPU's timer fires
  kStart, ///< the CPU has got from its SIPI to its first own code
  kHost,  ///< the host's own
};

struct Due {
  Ns time = 0;
  std::uint64_t number = 0; ///< the order among those of one time: as they were added
  CpuIndex cpu = 0;
  std::uint32_t epoch = 0; ///< of the CPU: what was due before a reset is void after it
  DueType type = DueType::kRun;
};

class Queue {
public:
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] Ns next() const { return heap_.empty() ? kNever : heap_.front().time; }

  void add(Due due) {
    due.number = added_++;
    heap_.push_back(due);
    std::push_heap(heap_.begin(), heap_.end(), Later{});
  }

  /// Takes the earliest out; there must be one.
  Due take() {
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    const Due due = heap_.back();
    heap_.pop_back();
    return due;
  }

private:
  struct Later {
    bool operator()(const Due &a, const Due &b) const {
      return a.time != b.time ? a.time > b.time : a.number > b.number;
    }
  };

  std::vector<Due> heap_;
  std::uint64_t added_ = 0;
};

} // namespace reveille::vmm::sim
