// An observation put in order: the moves of each word, and who wrote what, with everything
// that cannot be true left out and counted.
#pragma once

#include "core/protocol/states.hpp"
#include "vmm/judge/observation.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace reveille::vmm {

/// A swap of a sync word, as its mover has written it down.
struct Move {
  CpuIndex writer;
  std::uint64_t tsc;
  abi::Word from;
  abi::Word to;
  std::size_t index; ///< in its writer's ring
};

/// An event and where it stands.
struct Noted {
  CpuIndex writer;
  std::size_t index; ///< in its writer's ring
  abi::Event event;
};

class Evidence {
public:
  explicit Evidence(const Observation &seen);

  [[nodiscard]] const Observation &seen() const { return seen_; }

  /// The moves of a CPU's word by anyone, in the order of the words that they made.
  [[nodiscard]] const std::vector<Move> &moves(CpuIndex cpu) const { return moves_[cpu]; }

  /// What control CPUs wrote about a CPU, in the order in which they did; all of CPU 0's own.
  [[nodiscard]] const std::vector<Noted> &by_control(CpuIndex cpu) const { return by_control_[cpu]; }

  /// What an AP wrote about itself.
  [[nodiscard]] const std::vector<Noted> &by_itself(CpuIndex cpu) const { return by_itself_[cpu]; }

  /// When CPU 0 did without an AP whose control CPU had stopped: from then on nobody else may touch it.
  /// Nothing if it never did.
  [[nodiscard]] std::optional<std::uint64_t> lost_tsc(CpuIndex cpu) const;

  /// What faults did to a vCPU or on its behalf (Firing::cpu), and how it died; none of a CPU that
  /// does not exist.
  [[nodiscard]] std::span<const Firing *const> firings(CpuIndex cpu) const { return of(firings_, cpu); }
  [[nodiscard]] std::span<const CrashEvidence *const> crashes(CpuIndex cpu) const {
    return of(crashes_, cpu);
  }

  /// What faults did to that vCPU itself (Firing::vcpu), for whichever CPU it was.
  [[nodiscard]] std::span<const Firing *const> firings_on(CpuIndex vcpu) const {
    return of(firings_on_, vcpu);
  }

  /// What faults have made of a CPU's sync word, in the order in which they did; whether one has, in that
  /// attempt; and whether one has made that word. The judge exempts those transitions, and no other.
  [[nodiscard]] const std::vector<WordWrite> &writes(CpuIndex cpu) const { return writes_[cpu]; }
  [[nodiscard]] bool is_written(CpuIndex cpu, std::uint32_t attempt) const;
  [[nodiscard]] bool has_made(CpuIndex cpu, std::uint64_t word) const;

  /// Why the events do not tell all, if they do not: a ring that overflowed, or events that
  /// no guest of ours writes.
  [[nodiscard]] const std::string &gap() const { return gap_; }

  [[nodiscard]] CpuIndex cpus() const { return static_cast<CpuIndex>(moves_.size()); }

private:
  void take(CpuIndex writer, std::size_t index, const abi::Event &event);

  template <class T>
  static std::span<const T *const> of(const std::vector<std::vector<const T *>> &all, CpuIndex cpu) {
    return cpu < all.size() ? std::span<const T *const>(all[cpu]) : std::span<const T *const>();
  }

  const Observation &seen_;
  std::vector<std::vector<Move>> moves_;
  std::vector<std::vector<Noted>> by_control_;
  std::vector<std::vector<Noted>> by_itself_;
  std::vector<std::vector<const Firing *>> firings_;
  std::vector<std::vector<const Firing *>> firings_on_;
  std::vector<std::vector<WordWrite>> writes_;
  std::vector<std::vector<const CrashEvidence *>> crashes_;
  std::string gap_;
};

} // namespace reveille::vmm
