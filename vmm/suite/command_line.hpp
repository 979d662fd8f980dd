// One run of a suite as a command line.
#pragma once

#include "vmm/suite/suite.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::vmm {

/// What its process is started with: the result goes to standard output, all else to standard
/// error.
[[nodiscard]] std::vector<std::string> arguments_of(const SuiteOptions &options, const std::string &file,
                                                    std::uint64_t seed);

/// Where the trace of a run goes: below the folder as the scenario lies below here, with ".json" after its
/// name, and when there are several runs of it with the seed.
[[nodiscard]] std::string trace_file(const SuiteOptions &options, const std::string &file,
                                     std::uint64_t seed);

/// The same for a file of any kind: `folder` is where, `ending` what comes after its name.
[[nodiscard]] std::string file_of_run(const SuiteOptions &options, const std::string &folder,
                                      const std::string &file, std::uint64_t seed, std::string_view ending);

/// What somebody types into a shell to have that very run again.
[[nodiscard]] std::string command_of(const SuiteOptions &options, const std::string &file,
                                     std::uint64_t seed);

} // namespace reveille::vmm
