// What each command takes, as its own parser says: the source of its help, of the man page and of shell
// completion.
#pragma once

#include "vmm/base/error.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI { // NOLINT(readability-identifier-naming): it is named so
class App;
}

namespace reveille::vmm {

struct OptionSpec {
  std::vector<std::string> names; ///< "-j", "--jobs"; of an argument without a dash one: "FILE"
  std::string value;              ///< "FILE", "N"; empty: it takes none
  std::string about;
  bool is_positional = false;
};

struct CommandSpec {
  std::string name; ///< "vmm run"
  std::string about;
  std::vector<OptionSpec> options; ///< as the help has them, what it hides left out
  std::string footer;              ///< examples, exit status
};

/// Has `call` parse something and tells what its parser takes; nothing is done or printed. For
/// commands that go through tell_spec() before they do anything.
[[nodiscard]] CommandSpec spec_of(const std::function<void()> &call);

/// Whether somebody asks what `app` takes: then that has been told, and nothing more is to be done.
[[nodiscard]] bool tell_spec(const CLI::App &app);

/// What may stand where the help has `value`, of those that are one of a few: "LEVEL", "BACKEND", "SHELL".
/// Empty: anything.
[[nodiscard]] std::span<const std::string_view> values_called(std::string_view value);

} // namespace reveille::vmm
