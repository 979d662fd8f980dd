// The commands. Each takes what comes after its name and returns the exit status.
#pragma once

#include "vmm/cli/options.hpp"
#include "vmm/cli/spec.hpp"

#include <string>
#include <string_view>

namespace reveille::vmm {

[[nodiscard]] int run(const Arguments &arguments);

class MachineStock;
/// The same with machines out of `stock`.
[[nodiscard]] int run_with(MachineStock *stock, const Arguments &arguments);

/// The guest's file: the one that was asked for, or, if that is empty, guest.elf beside the binary.
[[nodiscard]] std::string guest_file(const std::string &wanted);

[[nodiscard]] int suite(const Arguments &arguments);

/// A process of `vmm suite` that has one run after the other.
[[nodiscard]] int worker(const Arguments &arguments);
[[nodiscard]] int diff(const Arguments &arguments);
[[nodiscard]] int check(const Arguments &arguments);
[[nodiscard]] int points(const Arguments &arguments);
[[nodiscard]] int doctor(const Arguments &arguments);

/// Prints the manual page vmm(1) as roff.
[[nodiscard]] int man(const Arguments &arguments);

/// Prints a script that has a shell complete vmm's command line.
[[nodiscard]] int completion(const Arguments &arguments);

/// What every command that the help shows takes, in its order.
[[nodiscard]] std::vector<CommandSpec> shown_commands();

inline constexpr std::string_view kAboutVmm =
    "a lab for bringing vCPUs up, and for what can go wrong with it";

/// Prints a table of the docs as Markdown, for who changes a table.
[[nodiscard]] int markdown(const Arguments &arguments);

/// Says on standard error what is wrong with the command line. Returns exit status 2.
[[nodiscard]] int usage_error(std::string_view command, std::string_view what);

/// Says an error on standard error and returns its status.
[[nodiscard]] int report(const Error &error);

/// Makes sure that what was printed on standard output has got there.
[[nodiscard]] int flushed(int status);

} // namespace reveille::vmm
