// vmm: finds the command, and hands it its arguments.
#include "vmm/base/printable.hpp"
#include "vmm/cli/commands.hpp"
#include "vmm/scenario/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

namespace reveille::vmm {
namespace {

struct Command {
  std::string_view name;
  int (*call)(const Arguments &);
  std::string_view about; ///< empty: not in the help
};

constexpr auto kCommands = std::to_array<Command>({
#ifdef REVEILLE_HAS_LAB
    {"run", run, "FILE      run one scenario; `vmm FILE` does the same"},
    {"suite", suite, "FILE...   run many, and folders of them, each apart from the others"},
#endif
    {"diff", diff, "A B       compare two results: outcomes, invariants, times, what decided"},
    {"check", check, "FILE...   validate scenarios, print them with their defaults"},
    {"points", points, "          print points, places and actions, and what supports what"},
#ifdef REVEILLE_HAS_LAB
    {"worker", worker, ""},
    {"doctor", doctor, "          what this host can do for the lab, found out by doing, and how to mend it"},
#endif
    {"completion", completion, "bash      print a script that completes vmm's command line"},
    {"man", man, ""},
    {"markdown", markdown, ""},
});

const Command *find_command(std::string_view name) {
  const auto *const it = std::ranges::find(kCommands, name, &Command::name);
  return it == kCommands.end() ? nullptr : it;
}

void print_help(std::FILE *to) {
  fmt::print(to, "vmm: {}.\n\nUsage:\n", kAboutVmm);
  for (const Command &command : kCommands)
    if (!command.about.empty())
      fmt::print(to, "  vmm {:<11}{}\n", command.name, command.about);
  fmt::print(to, "  vmm help COMMAND, vmm COMMAND --help, vmm --version\n\nExamples:\n");
  if (find_command("run") != nullptr)
    fmt::print(to, "  vmm configs/parallel-8.toml\n  vmm suite configs\n");
  fmt::print(to, "  vmm check configs/faults/two-stalls.toml\n");
}

/// A first word that is no command is a scenario to run.
int run_file(const Arguments &arguments) {
  if (const Command *command = find_command("run"))
    return command->call(arguments);
  return usage_error(
      "", fmt::format("this build cannot run scenarios, so \"{}\" is not a command", arguments.front()));
}

/// vmm help COMMAND
int help_on(const Arguments &arguments) {
  const Command *command = find_command(arguments[1]);
  if (command == nullptr || command->about.empty())
    return usage_error("", fmt::format("\"{}\" is not a command", arguments[1]));
  if (arguments.size() > 2)
    return usage_error("", fmt::format("\"{}\" is one argument too many", arguments[2]));
  return command->call({"--help"});
}

int dispatch(Arguments arguments) {
  if (arguments.empty()) {
    print_help(stderr);
    return static_cast<int>(ExitStatus::kUsage);
  }
  const std::string first = arguments.front();
  if (first == "help" && arguments.size() > 1)
    return help_on(arguments);
  if (first == "--help" || first == "-h" || first == "help") {
    print_help(stdout);
    return flushed(0);
  }
  if (first == "--version") {
    fmt::print("vmm {}\n", REVEILLE_VERSION);
    return flushed(0);
  }
  const Command *command = find_command(first);
  if (command == nullptr)
    return run_file(arguments);
  arguments.erase(arguments.begin());
  return command->call(arguments);
}

} // namespace

std::vector<CommandSpec> shown_commands() {
  std::vector<CommandSpec> specs;
  for (const Command &command : kCommands)
    if (!command.about.empty())
      specs.push_back(spec_of([&] { static_cast<void>(command.call({})); }));
  return specs;
}

int usage_error(std::string_view command, std::string_view what) {
  const std::string name = command.empty() ? "vmm" : fmt::format("vmm {}", command);
  fmt::print(stderr, "{}: {}\nTry: {} --help\n", name, printable(what), name);
  return static_cast<int>(ExitStatus::kUsage);
}

int report(const Error &error) {
  fmt::print(stderr, "{}\n", error.message);
  return static_cast<int>(error.status);
}

int flushed(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)
    return status;
  fmt::print(stderr, "vmm: cannot write to standard output: {}\n", std::strerror(errno)); // NOLINT
  return static_cast<int>(ExitStatus::kBroken);
}

} // namespace reveille::vmm

int main(int argc, char **argv) {
  using namespace reveille::vmm;
  // A file beyond the limit of its size is a write that fails, as on a full disk: setrlimit(2), RLIMIT_FSIZE.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return dispatch(Arguments(argv + std::min(argc, 1), argv + argc));
  } catch (const std::exception &error) {
    fmt::print(stderr, "vmm: failed: {}\n", printable(error.what()));
    return static_cast<int>(ExitStatus::kBroken);
  }
}
