// How long things take on the simulated machine.
#pragma once

#include "core/abi/place.hpp"
#include "vmm/scenario/scenario.hpp"
#include "vmm/sim/time.hpp"

#include <array>
#include <unordered_map>

namespace reveille::vmm::sim {

/// What a latency is of, when it is not the way to a place.
enum class Span : std::uint8_t {
  kWake,  ///< from the SIPI to the claim
  kIpi,   ///< from an interrupt's sending to its handler
  kServe, ///< the control CPU's work for one arrival
  kStop,  ///< the control CPU's, for the INIT of giving up
};

/// Each figure is drawn by a hash of the seed, the CPU, what it is of, and `draw`; so one CPU's
/// never depends on another's, nor on how often anybody has asked.
class Latencies {
public:
  explicit Latencies(const Scenario &scenario);

  /// What a CPU needs for its way to a place, when all that has a figure of its own is left
  /// out: nothing, for most. At a step's place, for the step; at kick, the control CPU's.
  [[nodiscard]] Ns to(CpuIndex cpu, abi::Place place, std::uint64_t draw) const;

  [[nodiscard]] Ns of(Span span, CpuIndex cpu, std::uint64_t draw) const;

private:
  static constexpr unsigned kSpans = 4;

  [[nodiscard]] Ns jittered(double ns, CpuIndex cpu, unsigned what, std::uint64_t draw) const;

  std::uint64_t seed_;
  double jitter_;
  std::array<double, abi::kPlaceCount> places_{};         ///< ns
  std::array<double, kSpans> spans_{};                    ///< ns
  std::unordered_map<std::uint64_t, double> overrides_{}; ///< by CPU and place
};

} // namespace reveille::vmm::sim
