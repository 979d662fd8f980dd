#ifdef REVEILLE_HAS_LAB
#include "vmm/suite/suite.hpp"

#include "vmm/cli/commands.hpp"

#include <cerrno>

namespace reveille::vmm {

int suite(const Arguments &arguments) {
  auto parsed = parse_suite(arguments);
  if (!parsed)
    return usage_error("suite", parsed.error().message);
  if (!*parsed)
    return flushed(0);
  SuiteOptions &options = **parsed;
  options.command = ::program_invocation_name;
  if (!options.fresh)
    options.runner.worker = {"worker"};
  if (const auto writable = check_outputs({{"--json", options.json},
                                           {"--junit", options.junit},
                                           {"--tap", options.tap},
                                           {"--report", options.report}});
      !writable)
    return usage_error("suite", writable.error().message);
  return flushed(suite_command(options));
}

} // namespace reveille::vmm
#endif
