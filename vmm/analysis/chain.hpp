// The critical chain: what decided how long a run took. From its end back to time zero, always to
// that without which the next could not have been earlier.
#pragma once

#include "core/protocol/points.hpp"
#include "vmm/judge/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// What the time of a link went into.
enum class LinkKind : std::uint8_t {
  kEarlier,  ///< earlier cycles, whose events are not kept
  kPrepare,  ///< a control CPU ran the PREPARE steps of `with`
  kKick,     ///< a control CPU sent INIT, SIPI, SIPI to `with`
  kAlive,    ///< the AP, from its kick to alive
  kStarting, ///< the AP ran its STARTING steps
  kTsc,      ///< the AP met its control CPU for the TSC
  kOnline,   ///< the AP went online
  kIdle,     ///< the AP entered its idle loop
  kActive,   ///< the AP ran its ONLINE steps
  kRelease,  ///< the AP waited at `point`, and its control CPU had nothing else to do
  kResume,   ///< the AP had been released from `point`, and had not seen it yet
  kControl,  ///< a control CPU was busy with `with`: served its arrivals, gave it up
  kDelegate, ///< CPU 0 had left `with` to another control CPU, which had not begun yet
  kReturn,   ///< a control CPU had given `with` back, and CPU 0 had not seen it yet
  kLease,    ///< CPU 0 waited for the lease of a control CPU on `with` to lapse, or for its end
  kTimeout,  ///< the AP did not reach `point` in its turn's time
  kUndo,     ///< steps were undone, on the way down or after a failure
  kHeld,     ///< a fault held the CPU
  kUnknown,  ///< the events do not tell
};
inline constexpr std::size_t kLinkKinds = 19;

/// A word for a kind, as BlamePart::name and the links on the page of a run have it.
[[nodiscard]] std::string_view name(LinkKind kind);

struct ChainLink {
  LinkKind kind = LinkKind::kUnknown;
  CpuIndex cpu = 0;                       ///< whose time it was
  CpuIndex with = 0;                      ///< for whom, where that is another
  std::optional<protocol::Point> point{}; ///< of kRelease, kResume and kTimeout
  std::optional<std::size_t> fault{};     ///< that held `cpu` meanwhile; of kHeld always
  std::optional<std::size_t> step{};      ///< the longest step in it, by its index in its section
  double step_us = 0;                     ///< how long that one took
  double from_us = 0;                     ///< from time zero
  double to_us = 0;

  [[nodiscard]] double us() const { return to_us - from_us; }
};

/// At what a chain ends.
enum class ChainEnd : std::uint8_t {
  kNothing,   ///< there is no chain: nothing in the events tells when the run was over
  kActive,    ///< the last CPU became active; all that were asked for did
  kDecided,   ///< the last CPU was decided, and some had failed
  kLastEvent, ///< the run was over before all were decided: the last event
};

struct Chain {
  ChainEnd end = ChainEnd::kNothing;
  double total_us = 0;          ///< from time zero to the end
  std::uint32_t cycles = 1;     ///< that it goes through
  std::vector<ChainLink> links; ///< in the order of time, one where the other ends, from 0 to total_us
  std::string gap;              ///< why the events do not tell all, if they do not
};

/// Of attempts it follows those that mattered: a retry goes back to the attempt before it. Of cycles
/// it goes through all, up and down, as far back as their events are kept.
[[nodiscard]] Chain critical_chain(const Scenario &scenario, const Observation &seen, const Verdict &verdict);

/// A link in words, its CPU left out: "waited for its release at alive", "was held by fault 0".
[[nodiscard]] std::string link_text(const ChainLink &link, const StepNames &steps);

} // namespace reveille::vmm
