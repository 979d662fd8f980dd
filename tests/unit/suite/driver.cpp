// `vmm suite` with another program in the place of the vmm: suite_driver PROGRAM ALLOWANCE_MS ARG...
#include "vmm/cli/options.hpp"

#include <fmt/format.h>

#include <string>

int main(int argc, char **argv) {
  using namespace reveille::vmm;
  if (argc < 4)
    return static_cast<int>(ExitStatus::kUsage);
  auto options = parse_suite(Arguments(argv + 3, argv + argc));
  if (!options || !*options) {
    fmt::print(stderr, "{}\n", options ? "help" : options.error().message);
    return static_cast<int>(ExitStatus::kUsage);
  }
  (*options)->runner.program = argv[1];
  (*options)->runner.allowance = std::chrono::milliseconds(std::stol(argv[2]));
  (*options)->runner.term_grace = std::chrono::milliseconds(300);
  (*options)->command = "vmm";
  return suite_command(**options);
}
