#include "vmm/diff/command.hpp"

#include "vmm/cli/commands.hpp"

namespace reveille::vmm {

int diff(const Arguments &arguments) {
  const auto parsed = parse_diff(arguments);
  if (!parsed)
    return usage_error("diff", parsed.error().message);
  if (!*parsed)
    return flushed(0);
  return flushed(diff_command(**parsed));
}

} // namespace reveille::vmm
