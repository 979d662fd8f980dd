// The events of a run, to be walked through from the end to the beginning: which came before
// which, on one CPU and between two.
#pragma once

#include "vmm/judge/evidence.hpp"
#include "vmm/judge/verdict.hpp"

#include <optional>
#include <tuple>
#include <vector>

namespace reveille::vmm {

/// An event, by where it stands.
struct Spot {
  CpuIndex ring;     ///< the CPU that has written it
  std::size_t index; ///< in its ring
};

/// What is known of the events. Whatever the guest has written, each question is answered in a
/// time that does not grow with the number of times that it is asked.
class History {
public:
  /// Both must outlive it.
  History(const Observation &seen, const Verdict &verdict);

  [[nodiscard]] const Evidence &evidence() const { return evidence_; }
  [[nodiscard]] CpuIndex cpus() const { return evidence_.cpus(); }
  [[nodiscard]] const abi::Event &event(Spot at) const { return ring(at.ring)[at.index]; }
  [[nodiscard]] const std::vector<abi::Event> &ring(CpuIndex cpu) const {
    return evidence_.seen().cpus[cpu].events;
  }

  /// Microseconds from time zero by CPU 0's clock, as far as a skew of the other's is known.
  /// Anything, where the guest has written anything.
  [[nodiscard]] double us(Spot at) const;

  /// What the same CPU has written before that; only what a guest of ours writes.
  [[nodiscard]] std::optional<Spot> before(Spot at) const;

  /// The swap of a CPU's word to `to`, by the CPU itself or by a control CPU.
  [[nodiscard]] std::optional<Spot> own_move(CpuIndex cpu, abi::Word to) const;
  [[nodiscard]] std::optional<Spot> control_move(CpuIndex cpu, abi::Word to) const;

  /// The last event of that kind about a CPU in that attempt (0: the event names none) that stands
  /// before `below` in the ring that has it. Of kKick, kTscServed, kDelegated, kFenced, and kResumed
  /// from started, which begins the rendezvous.
  [[nodiscard]] std::optional<Spot> last(abi::EventKind kind, CpuIndex cpu, std::uint32_t attempt,
                                         std::size_t below) const;

private:
  struct Key {
    abi::EventKind kind;
    CpuIndex cpu;
    std::uint32_t attempt;
    std::size_t index;
    CpuIndex ring;
    [[nodiscard]] auto order() const { return std::tuple(kind, cpu, attempt, index); }
  };

  [[nodiscard]] bool is_sane(const abi::Event &event) const;
  [[nodiscard]] std::optional<Spot> move(CpuIndex cpu, abi::Word to, bool own) const;

  Evidence evidence_;
  std::vector<std::uint64_t> ahead_; ///< of CPU 0's TSC, by CPU, ticks modulo 2^64
  std::vector<Key> marks_;           ///< what last() finds, in order
};

} // namespace reveille::vmm
