#include "vmm/trace/trace.hpp"

namespace reveille::vmm {

std::string trace_for(std::string_view path, const Traced &run) {
  return path.ends_with(".txt") ? ftrace_text(run) : perfetto_json(run);
}

} // namespace reveille::vmm
