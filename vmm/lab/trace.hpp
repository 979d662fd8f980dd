// The events of a run as they are taken out of the rings, and what they have told so far.
#pragma once

#include "vmm/faults/engine.hpp"
#include "vmm/machine/control_area.hpp"

#include <mutex>
#include <optional>
#include <vector>

namespace reveille::vmm {

/// What the events have told of one CPU. Attempts, 0: none yet. The order of events from
/// different rings is not known, and not needed: attempts only grow.
struct Standing {
  std::uint32_t active = 0;      ///< the last of which it wrote down its own swap to active
  std::uint32_t up = 0;          ///< the last that its control CPU called active
  std::uint32_t down = 0;        ///< the last that was taken down
  std::uint32_t quarantined = 0; ///< the last that was kept for want of proof
  std::uint32_t proven = 0;      ///< the last that was found to be over
  bool out = false;              ///< has failed, and stays out
  std::uint32_t kicked = 0;      ///< the last that was kicked
  std::uint64_t kicked_from = 0; ///< and the word that the kick found, any bits
  std::optional<abi::Event> panic{};

  /// Called up, and not down or out since.
  [[nodiscard]] bool online() const { return !out && up > down; }
};

/// All functions may be called by any thread.
class Trace {
public:
  /// `faults` is told of decisions that bear on its firings.
  Trace(ControlArea &area, FaultEngine &faults, const Scenario &scenario);

  /// Takes out what one ring has, or all of them.
  void take(CpuIndex writer);
  void take_all();

  [[nodiscard]] Standing standing(CpuIndex cpu) const;
  [[nodiscard]] std::uint32_t cycle() const; ///< the one in progress, 1 at first
  /// How many events of a CPU have been taken out, ever.
  [[nodiscard]] std::uint64_t taken(CpuIndex writer) const;

  /// A CPU's events in the order in which it wrote them.
  [[nodiscard]] std::vector<abi::Event> events(CpuIndex writer) const;
  /// Those that are not among them: they found no room, were too many to be kept, the oldest
  /// first, or the ring's account is not credible (1 at least).
  [[nodiscard]] std::uint32_t lost(CpuIndex writer) const;

private:
  struct Ring {
    std::vector<abi::Event> events;
    std::size_t most = 0; ///< kept
    std::uint64_t taken = 0;
    std::uint64_t dropped = 0;
    std::uint32_t lost = 0;
    bool overrun = false;
  };

  void take_locked(CpuIndex writer);
  void keep(Ring &ring, const std::vector<abi::Event> &events);
  void note(CpuIndex writer, const abi::Event &event);

  ControlArea &area_;
  FaultEngine &faults_;
  std::uint32_t cycles_;
  mutable std::mutex mutex_; ///< guards what follows, and the rings' reading ends
  std::vector<Ring> rings_;
  std::vector<Standing> standings_;
  std::uint32_t cycle_ = 1;
};

} // namespace reveille::vmm
