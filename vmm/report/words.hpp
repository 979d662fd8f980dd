// Names and figures, the way all reports write them.
#pragma once

#include "vmm/analysis/credible.hpp"
#include "vmm/judge/verdict.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// As the JSON result has them.
[[nodiscard]] std::string_view name(CpuOutcome outcome);
[[nodiscard]] std::string_view name(VerdictKind kind);
/// The verdict of a run that never began, for that reason.
[[nodiscard]] std::string_view verdict_of_failure(ExitStatus status);
[[nodiscard]] std::string_view name(abi::Strategy strategy);
[[nodiscard]] std::string_view name(abi::Wait wait);

/// Milliseconds with three to four digits, without the unit: "0.352", "12.35", "1004".
[[nodiscard]] std::string ms_figure(double us);

/// The same with the unit.
[[nodiscard]] std::string ms_text(double us);

/// "1 CPU", "3 CPUs".
[[nodiscard]] std::string counted(std::size_t count, std::string_view what);

/// "CPU 3", "CPUs 1-3,8"; cut short with the count where it would be longer than `most`.
[[nodiscard]] std::string cpus_text(const std::vector<CpuIndex> &cpus, std::size_t most);

/// A sync word in words: "attempt 1, starting, step 2". Whatever the bits are.
[[nodiscard]] std::string word_text(std::uint64_t bits);

/// A step as its section and index name it: `STARTING step "mtrr"`. Whatever the numbers are.
[[nodiscard]] std::string step_text(std::uint64_t section, std::uint64_t index, const StepNames &steps);

/// " at rip 0x8000"; nothing of a simulated CPU, which has none.
[[nodiscard]] std::string at_rip_text(std::uint64_t rip);

/// ", in core::claim (core/claim.hpp:23)"; nothing where that is not known.
[[nodiscard]] std::string in_text(const std::string &where);

/// What a fault does: "stall at alive for 300 ms", "freeze at time:20 for ever".
[[nodiscard]] std::string fault_text(const FaultSpec &fault);

} // namespace reveille::vmm
