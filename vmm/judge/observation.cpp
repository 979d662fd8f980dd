#include "vmm/judge/observation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace reveille::vmm {

std::string_view StepNames::find(std::uint64_t section, std::uint64_t step) const {
  return section < std::size(names) && step < names[section].size() ? std::string_view(names[section][step])
                                                                    : std::string_view();
}

std::string step_name(const StepNames &names, std::uint64_t section, std::uint64_t step) {
  const std::string_view name = names.find(section, step);
  return name.empty() ? fmt::format("#{}", step) : std::string(name);
}

std::string describe_end(const Observation &seen, std::string_view refusal) {
  switch (seen.end) {
  case RunEnd::kComplete:
    return "";
  case RunEnd::kBound:
    return fmt::format("the run's bound of {:.0f} ms expired", seen.bound_ms);
  case RunEnd::kControlDied: {
    const auto crash = std::ranges::find(seen.crashes, CpuIndex{0}, &CrashEvidence::cpu);
    return crash == seen.crashes.end() ? "CPU 0 died" : fmt::format("CPU 0 died: {}", crash->what);
  }
  case RunEnd::kInterrupted:
    return "interrupted";
  case RunEnd::kRefused:
    return fmt::format("the guest refused this machine: {}", refusal);
  }
  return "";
}

} // namespace reveille::vmm
