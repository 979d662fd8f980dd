// What the simulated machine sees on the spot, because nothing else runs meanwhile: what a start that
// may not claim changes, and whether one that claims finds what it was kicked with.
#pragma once

#include "vmm/judge/observation.hpp"
#include "vmm/sim/time.hpp"

#include <string>
#include <vector>

namespace reveille::vmm::sim {

class Guest;

/// All that CPUs share, as it is when this is made.
class Untouched {
public:
  /// Of more CPUs only the starting one's own slot is looked at: each start would cost a look at all.
  static constexpr CpuIndex kMostLookedAt = 1024;

  /// `cpu` is the one that starts. `guest` must outlive this.
  Untouched(Guest &guest, CpuIndex cpu);

  /// What is not any more as it was, in words; empty: all of it is.
  [[nodiscard]] std::string what_changed() const;

private:
  [[nodiscard]] CpuIndex looked_at() const;

  Guest &guest_;
  CpuIndex cpu_;
  std::uint64_t own_;
  std::vector<std::uint64_t> slots_; ///< digests of all CPUs' slots, when they are looked at
  std::uint64_t arrivals_;
  std::uint32_t areas_;
};

/// What an AP is to find at its claim, as it is when its INIT is sent.
struct Handed {
  std::uint32_t attempt = 0; ///< 0: none was kicked
  std::uint32_t area = 0;
  std::uint32_t ordinal = 0;
  std::uint32_t cycle = 0;
};

/// How what is found differs from what was handed over, in words; empty: it does not.
[[nodiscard]] std::string difference(const Handed &handed, const Handed &found);

} // namespace reveille::vmm::sim
