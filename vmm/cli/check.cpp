#include "vmm/cli/commands.hpp"
#include "vmm/scenario/load.hpp"
#include "vmm/scenario/print.hpp"
#include "vmm/scenario/read_file.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace reveille::vmm {

int check(const Arguments &arguments) {
  const auto parsed = parse_check(arguments);
  if (!parsed)
    return usage_error("check", parsed.error().message);
  if (!*parsed)
    return flushed(0);
  const CheckArguments &options = **parsed;
  int status = 0;
  bool first = true;
  for (const std::string &file : options.files) {
    const auto scenario = load_scenario(file, {options.sets, {}, options.backend});
    if (!scenario) {
      status = report(scenario.error());
      continue;
    }
    if (options.files.size() > 1)
      fmt::print("{}# {}\n", first ? "" : "\n", display_name(file));
    fmt::print("{}", to_toml(*scenario));
    first = false;
  }
  return flushed(status);
}

} // namespace reveille::vmm
