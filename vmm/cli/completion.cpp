// vmm completion SHELL: a script that completes vmm's command line, from the same tables as the help.
#include "vmm/cli/commands.hpp"
#include "vmm/cli/spec.hpp"
#include "vmm/scenario/actions.hpp"
#include "vmm/scenario/keys.hpp"
#include "vmm/scenario/places.hpp"

#include <fmt/format.h>

namespace reveille::vmm {
namespace {

/// What is the same whatever the tables say. Bash cuts words at "=" and ":"; they are put together again, and
/// what stands in front of the last such cut is not offered again.
constexpr std::string_view kEngine = R"bash(
_vmm_offer() { # what begins with $cur, of the words in $1
  local word
  for word in $1; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
  done
}

_vmm_files() { # files and folders; of the files those that end in $1
  local path
  while IFS= read -r path; do
    if [[ -d $path ]]; then
      COMPREPLY+=("$path/")
      _vmm_nospace
    elif [[ $path == *"$1" ]]; then
      COMPREPLY+=("$path")
    fi
  done < <(compgen -f -- "$cur")
}

_vmm_nospace() { compopt -o nospace 2>/dev/null; } # says that it is not completing where a script asks

_vmm_set() { # KEY=VALUE, of tables in an array with any number
  local key=${cur%%=*} shape number=0
  if [[ $key =~ ^[a-z.]+\.([0-9]+)\. ]]; then
    number=${BASH_REMATCH[1]}
  fi
  if [[ $cur != *=* ]]; then
    for shape in $_vmm_keys; do
      shape=${shape/.0./.$number.}
      [[ $shape == "$cur"* ]] && COMPREPLY+=("$shape=")
    done
    _vmm_nospace
    return
  fi
  cur=${cur#*=}
  _vmm_offer "$(_vmm_values_of "${key/.$number./.0.}")"
  COMPREPLY=("${COMPREPLY[@]/#/$key=}")
  cur=$key=$cur
}

_vmm() {
  local words=() word glued='' cur prev cut option='' i
  COMPREPLY=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ ${#words[@]} -gt 0 && ($glued || $word == [=:]*) ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
    glued=''
    [[ $word == *[=:] ]] && glued=yes
  done
  cur=${words[-1]}
  prev=${words[-2]}
  if [[ ${#words[@]} -le 2 ]]; then
    _vmm_offer "$_vmm_commands help --help --version"
    [[ $cur == -* ]] || _vmm_files .toml
  else
    if [[ $cur == --*=* ]]; then
      option=${cur%%=*}=
      prev=${cur%%=*}
      cur=${cur#*=}
    fi
    _vmm_argument "${words[1]}" "$prev"
    COMPREPLY=("${COMPREPLY[@]/#/$option}")
    cur=$option$cur
  fi
  cut=${cur%"${cur##*[=:]}"}
  for i in "${!COMPREPLY[@]}"; do
    COMPREPLY[i]=${COMPREPLY[i]#"$cut"}
  done
}
complete -F _vmm vmm
)bash";

/// The shell's words that offer what may stand for `value`.
std::string offer_of(std::string_view value) {
  if (const auto values = values_called(value); !values.empty())
    return fmt::format("_vmm_offer '{}'", fmt::join(values, " "));
  if (value == "KEY=VALUE")
    return "_vmm_set";
  if (value == "DIR" || value.starts_with("FILE"))
    return "_vmm_files ''";
  return ":"; // a number, say
}

/// What an argument without a dash is: a scenario, or another file.
std::string positional_offer(const CommandSpec &command) {
  std::string offer = ":";
  for (const OptionSpec &option : command.options)
    if (option.is_positional) {
      const std::string &name = option.names.front();
      if (!values_called(name).empty())
        return offer_of(name);
      offer = name == "FILE" ? "_vmm_files .toml" : "_vmm_files ''";
    }
  return offer;
}

/// The branch of one command: after an option its value, else options or arguments.
std::string branch_of(const CommandSpec &command, std::string_view word) {
  std::string text = fmt::format("  {})\n    case $2 in\n", word);
  std::string names;
  for (const OptionSpec &option : command.options) {
    if (option.is_positional)
      continue;
    for (const std::string &name : option.names)
      names += fmt::format("{}{}", names.empty() ? "" : " ", name);
    if (!option.value.empty())
      text += fmt::format("    {}) {} ;;\n", fmt::join(option.names, " | "), offer_of(option.value));
  }
  return text + fmt::format("    *)\n      if [[ $cur == -* ]]; then\n        _vmm_offer '{}'\n      else\n"
                            "        {}\n      fi\n      ;;\n    esac\n    ;;\n",
                            names, positional_offer(command));
}

std::string path_of(const KeyRow &row) {
  switch (row.section) {
  case KeySection::kRoot:
    return std::string(row.name);
  case KeySection::kMachine:
    return fmt::format("machine.{}", row.name);
  case KeySection::kBringup:
    return fmt::format("bringup.{}", row.name);
  case KeySection::kSim:
    return fmt::format("sim.{}", row.name);
  case KeySection::kLatency:
    return fmt::format("sim.latency.0.{}", row.name);
  case KeySection::kFault:
    return fmt::format("fault.0.{}", row.name);
  case KeySection::kExpect:
    return fmt::format("expect.{}", row.name);
  }
  return {};
}

/// What a key takes, where it is one of a few; places and actions have tables of their own.
std::string values_of_key(const KeyRow &row) {
  std::string text;
  const auto add = [&](std::string_view word) { text += fmt::format("{}{}", text.empty() ? "" : " ", word); };
  for (const std::string_view choice : row.choices)
    add(choice);
  if (row.type == KeyType::kBool)
    text = "true false";
  if (row.section == KeySection::kFault && row.name == "action")
    for (const ActionRow &action : all_actions())
      add(action.name);
  if (row.name == "at")
    for (const std::string_view place : point_place_names())
      add(place);
  if (row.section == KeySection::kFault && row.name == "at")
    for (const PlaceRow &place : all_places())
      if (place.kind != PlaceKind::kPoint &&
          place.form.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ.") == std::string_view::npos)
        add(place.form);
  return text;
}

std::string key_tables() {
  std::string keys;
  std::string values;
  for (const KeyRow &row : all_keys()) {
    if (row.type == KeyType::kTable || row.type == KeyType::kTables || row.support == Support::kLater)
      continue;
    keys += fmt::format("{}{}", keys.empty() ? "" : " ", path_of(row));
    if (const std::string words = values_of_key(row); !words.empty())
      values += fmt::format("  {}) echo '{}' ;;\n", path_of(row), words);
  }
  return fmt::format("_vmm_keys='{}'\n_vmm_values_of() {{\n  case $1 in\n{}  esac\n}}\n", keys, values);
}

std::string bash_script() {
  std::string text = "# Completion of vmm's command line for bash, made by `vmm completion bash`.\n"
                     "# shellcheck shell=bash\n";
  std::string names;
  std::string branches;
  std::string of_a_file;
  for (const CommandSpec &command : shown_commands()) {
    const std::string word = command.name.substr(command.name.rfind(' ') + 1);
    names += fmt::format("{}{}", names.empty() ? "" : " ", word);
    branches += branch_of(command, word);
    if (word == "run")
      of_a_file = branch_of(command, "*"); // `vmm FILE` is `vmm run FILE`
  }
  text += fmt::format("_vmm_commands='{}'\n{}", names, key_tables());
  text += fmt::format("_vmm_argument() {{ # of command $1, behind $2\n  case $1 in\n{}"
                      "  help) _vmm_offer \"$_vmm_commands\" ;;\n{}  esac\n}}\n",
                      branches, of_a_file);
  return text + std::string(kEngine);
}

} // namespace

int completion(const Arguments &arguments) {
  const auto shell = parse_completion(arguments);
  if (!shell)
    return usage_error("completion", shell.error().message);
  if (*shell)
    fmt::print("{}", bash_script());
  return flushed(0);
}

} // namespace reveille::vmm
