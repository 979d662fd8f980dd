#ifdef REVEILLE_HAS_LAB
#include "vmm/suite/suite.hpp"

#include "vmm/cli/commands.hpp"
#include "vmm/machine/guest_image.hpp"
#include "vmm/scenario/overrides.hpp"

#include <array>
#include <cerrno>

namespace reveille::vmm {
namespace {

/// What is wrong with every run is told once, before there are any.
Result<void> check_for_all(const SuiteOptions &options) {
  const std::string guest = guest_file(options.guest);
  const std::array<Input, 1> inputs{{{guest, "the guest"}}};
  if (auto usable = check_outputs(options.outputs())
                        .and_then([&] { return check_kept(options.outputs(), inputs); })
                        .and_then([&] { return check_overrides(options.sets); });
      !usable || options.backend == Backend::kSim)
    return usable;
  return GuestImage::open(guest).map([](const GuestImage &) {});
}

} // namespace

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
  if (const auto usable = check_for_all(options); !usable)
    return usage_error("suite", usable.error().message);
  return flushed(suite_command(options));
}

} // namespace reveille::vmm
#endif
