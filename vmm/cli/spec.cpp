#include "vmm/cli/spec.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <array>
#include <utility>

namespace reveille::vmm {
namespace {

using namespace std::string_view_literals;

/// Where spec_of() wants the answer; null: nobody asks. One thread has the command line.
CommandSpec *asked = nullptr;

OptionSpec spec_of(const CLI::Option &option) {
  OptionSpec spec;
  spec.is_positional = option.get_positional();
  for (const std::string &name : option.get_snames())
    spec.names.push_back("-" + name);
  for (const std::string &name : option.get_lnames())
    spec.names.push_back("--" + name);
  if (spec.is_positional)
    spec.names = {option.get_name(true)};
  else
    spec.value = option.get_type_name();
  spec.about = option.get_description();
  return spec;
}

struct Values {
  std::string_view called;
  std::span<const std::string_view> values;
};

constexpr std::array kLevels{"trace"sv, "debug"sv, "info"sv, "warning"sv, "error"sv, "critical"sv, "off"sv};
constexpr std::array kBackends{"kvm"sv, "sim"sv};
constexpr std::array kShells{"bash"sv};
constexpr std::array kValues =
    std::to_array<Values>({{"LEVEL", kLevels}, {"BACKEND", kBackends}, {"SHELL", kShells}});

} // namespace

CommandSpec spec_of(const std::function<void()> &call) {
  CommandSpec spec;
  asked = &spec;
  call();
  asked = nullptr;
  return spec;
}

bool tell_spec(const CLI::App &app) {
  if (asked == nullptr)
    return false;
  asked->name = app.get_name();
  asked->about = app.get_description();
  asked->footer = app.get_footer();
  for (const CLI::Option *option : app.get_options())
    if (!option->get_group().empty())
      asked->options.push_back(spec_of(*option));
  return true;
}

std::span<const std::string_view> values_called(std::string_view value) {
  for (const Values &row : kValues)
    if (row.called == value)
      return row.values;
  return {};
}

} // namespace reveille::vmm
