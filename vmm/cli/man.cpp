// vmm man: the manual page vmm(1), from the commands' own options and the table of a scenario's keys.
#include "vmm/cli/commands.hpp"
#include "vmm/cli/spec.hpp"
#include "vmm/scenario/keys.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

/// Text as roff takes it: man(7), "Escape sequences".
std::string roff(std::string_view text) {
  std::string safe;
  bool begins_line = true;
  for (const char c : text) {
    if (begins_line && (c == '.' || c == '\''))
      safe += "\\&";
    begins_line = c == '\n';
    if (c == '\\')
      safe += "\\e";
    else if (c == '-')
      safe += "\\-";
    else if (c == '`')
      safe += "\\(ga";
    else if (c == '\'')
      safe += "\\(aq";
    else
      safe += c;
  }
  return safe;
}

std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", roff(text)); }
std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", roff(text)); }

std::string option_text(const OptionSpec &option) {
  std::string text = ".TP\n";
  for (std::size_t i = 0; i < option.names.size(); ++i)
    text += (i == 0 ? "" : ", ") + bold(option.names[i]);
  if (!option.value.empty())
    text += ' ' + italic(option.value);
  return text + fmt::format("\n{}\n", roff(option.about));
}

std::string synopsis_of(const CommandSpec &command) {
  std::string text = bold(command.name);
  for (const OptionSpec &option : command.options)
    if (option.is_positional)
      text += ' ' + italic(option.names.front());
  return text + " [" + italic("OPTION") + "]...";
}

std::string command_text(const CommandSpec &command) {
  std::string text = fmt::format(".SS {}\n{}\n", roff(command.name), roff(command.about));
  for (const OptionSpec &option : command.options)
    text += option_text(option);
  if (!command.footer.empty())
    text += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(command.footer));
  return text;
}

std::string key_text(const KeyRow &row) {
  std::string text = fmt::format(".TP\n{}", bold(row.name));
  std::string values(values_of(row, abi::kMaxCpus));
  for (const std::string_view choice : row.choices)
    values += fmt::format("{}{}", values.empty() ? "" : ", ", choice);
  if (!values.empty())
    text += " = " + italic(values);
  text += fmt::format("\n{}", roff(row.about));
  if (row.required)
    text += "; required";
  else if (!row.fallback.empty())
    text += fmt::format("; default: {}", roff(row.fallback));
  return text + ".\n";
}

std::string keys_text() {
  std::string text = ".SH SCENARIO FILES\nA scenario is a TOML file. "
                     "Its keys, which also\n.B \\-\\-set\ntakes, with their sections in front:\n";
  KeySection section = KeySection::kRoot;
  for (const KeyRow &row : all_keys()) {
    if (row.section != section)
      text += fmt::format(".SS {}\n", roff(header(row.section)));
    section = row.section;
    if (row.type != KeyType::kTable && row.type != KeyType::kTables && row.support != Support::kLater)
      text += key_text(row);
  }
  return text;
}

} // namespace

int man(const Arguments &arguments) {
  if (!arguments.empty())
    return usage_error("", "man takes no argument");
  std::string text =
      fmt::format(".TH VMM 1 \"\" \"vmm {}\" \"User Commands\"\n.SH NAME\nvmm \\- {}\n.SH SYNOPSIS\n",
                  REVEILLE_VERSION, roff(kAboutVmm));
  const std::vector<CommandSpec> commands = shown_commands();
  for (const CommandSpec &command : commands)
    text += synopsis_of(command) + "\n.br\n";
  text += bold("vmm help") + " [" + italic("COMMAND") + "]\n.br\n" + bold("vmm --version") + '\n';
  text += ".SH COMMANDS\n";
  for (const CommandSpec &command : commands)
    text += command_text(command);
  fmt::print("{}", text + keys_text());
  return flushed(0);
}

} // namespace reveille::vmm
