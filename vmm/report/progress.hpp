// What a run is doing, while it does it.
#pragma once

#include "core/abi/word.hpp"
#include "vmm/report/live_lines.hpp"
#include "vmm/report/style.hpp"
#include "vmm/scenario/scenario.hpp"

#include <cstdio>
#include <optional>
#include <span>
#include <string>

namespace reveille::vmm {

/// A run while it goes on.
struct ProgressView {
  double ms = 0;                    ///< since the vCPUs were started
  std::span<const abi::Word> words; ///< the sync words; not trusted
  std::span<const CpuIndex> held{}; ///< vCPUs that faults hold now, by number
  std::uint32_t cycle = 1;
  std::uint32_t cycles = 1; ///< in all
  /// By the host's clock, where `ms` is virtual.
  std::optional<double> host_ms{};
};

/// How many CPUs stand where, in one line: "12.30 ms  cycle 3/100  active 860 of 999  kicked 3
/// held 1". Of words[0], the control CPU's, nothing is said. At most `width` columns.
[[nodiscard]] std::string progress_line(const ProgressView &view, int width);

/// Shows how a run goes: on a terminal the grid of all CPUs, drawn anew ten times a second in as much
/// room as the terminal then has, and gone at the end; elsewhere nothing for two seconds and then a
/// line at 2, 4, 8, ... s. One thread's.
class Progress {
public:
  Progress(std::FILE *out, Style style) : out_(out), style_(style), lines_(out, style) {}

  /// The host's clock decides when a line is due.
  void update(const ProgressView &view);

  /// Takes away what is drawn, if anything is. The next update() draws it again.
  void finish() { lines_.finish(); }

private:
  std::FILE *out_;
  Style style_;
  LiveLines lines_;
  double due_ms_ = 0;          ///< on a terminal
  double plain_due_ms_ = 2000; ///< elsewhere
};

} // namespace reveille::vmm
