// What the simulated guest's steps work on: per-CPU areas, each with an owner, so that two
// owners, or a use after the area was given back, are found out.
#pragma once

#include "core/environment.hpp"
#include "vmm/scenario/scenario.hpp"

#include <cstdint>
#include <vector>

namespace reveille::vmm::sim {

/// What an attempt stands on.
struct Area {
  CpuIndex cpu = 0;
  std::uint32_t attempt = 0; ///< 0: nobody has it
  std::uint32_t next_free = 0;
  core::Failure failure; ///< of a failed step
  bool has_tables = false;
  bool has_lapic = false;
  bool has_timer = false;
  bool asked = false;    ///< the worker has work
  bool answered = false; ///< and has done it
};

/// All areas, by token from 1 on. As many as it takes.
class Areas {
public:
  /// A token; 0: the host has no memory for more.
  [[nodiscard]] std::uint32_t take(const core::StepTarget &target);

  /// The area of an attempt; null: that attempt has none there, or not any more.
  [[nodiscard]] Area *find(const core::StepTarget &target);

  /// False: it was not that attempt's to give back.
  [[nodiscard]] bool put(const core::StepTarget &target);

  [[nodiscard]] std::uint32_t in_use() const { return in_use_; }

private:
  std::vector<Area> areas_;
  std::uint32_t free_ = 0; ///< token; 0: none
  std::uint32_t in_use_ = 0;
};

} // namespace reveille::vmm::sim
