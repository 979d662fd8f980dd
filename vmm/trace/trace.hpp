// A run as a trace: for Perfetto and what reads Chrome's JSON, and for what reads the kernel's ftrace.
#pragma once

#include "vmm/story/story.hpp"

#include <string>
#include <string_view>

namespace reveille::vmm {

/// A run and what was made of it. One that never began has an empty story.
struct Traced {
  const Scenario &scenario;
  const Observation &seen;
  const Story &story;
  std::string_view verdict; ///< as the JSON result has it
};

/// As a JSON object in the "Trace Event Format": docs/trace.schema.json, and docs/reading-results.md in
/// words. With a final newline; valid UTF-8 whatever the guest has named its steps.
[[nodiscard]] std::string perfetto_json(const Traced &run);

/// As /sys/kernel/tracing/trace has it: events cpuhp_enter and cpuhp_exit for each step and each point, by
/// numbers.hpp. Source of the form: Linux 6.5, kernel/trace/trace.c print_func_help_header_irq(),
/// trace_output.c trace_print_context(), include/trace/events/cpuhp.h.
[[nodiscard]] std::string ftrace_text(const Traced &run);

/// The one of the two that a file of that name holds: text if it ends in ".txt".
[[nodiscard]] std::string trace_for(std::string_view path, const Traced &run);

} // namespace reveille::vmm
