// What the help, the manual page and the completion say, against what the commands do.
#include "vmm.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

namespace reveille::test {
namespace {

std::vector<std::string> lines_of(const std::string &text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

/// The commands that the help shows.
std::vector<std::string> commands() {
  std::vector<std::string> names;
  for (const std::string &line : lines_of(vmm("--help").out)) {
    std::istringstream words(line);
    std::string first, second, third;
    words >> first >> second >> third;
    if (line.starts_with("  vmm ") && std::ranges::find(names, second) == names.end() && second != "help" &&
        !second.starts_with("configs/"))
      names.push_back(second);
  }
  return names;
}

struct Option {
  std::string name;
  std::string value; ///< as the help calls it
};

/// The options that a command's help shows, by their first names.
std::vector<Option> options_of(const std::string &command) {
  std::vector<Option> options;
  for (const std::string &line : lines_of(vmm(command + " --help").out)) {
    if (!line.starts_with("  -"))
      continue;
    Option option;
    const std::string both = line.substr(2, line.find("  ", 2) - 2); // the description is further away
    option.name = both.substr(0, both.find_first_of(", "));
    if (const std::size_t space = both.find(' '); space != std::string::npos)
      option.value = both.substr(space + 1);
    options.push_back(option);
  }
  return options;
}

/// A value that works.
std::string value_for(const std::string &value) {
  if (value == "N")
    return " 1";
  if (value == "I/N")
    return " 1/1";
  if (value == "KEY=VALUE")
    return " bringup.window=0";
  if (value == "LEVEL")
    return " off";
  if (value == "BACKEND")
    return " sim";
  return " '" + temporary("made") + "/it.html'"; // FILE, FILE.html, DIR
}

TEST(help, shows_every_command_with_help_of_its_own) {
  const auto names = commands();
  EXPECT_GE(names.size(), 4U);
  for (const std::string &name : names) {
    const Outcome help = vmm("help " + name);
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_EQ(help.out, vmm(name + " --help").out) << name;
    EXPECT_NE(help.out.find("Example"), std::string::npos) << name;
  }
  expect_usage_error("help nonsense", "vmm: \"nonsense\" is not a command", "vmm --help");
  expect_usage_error("help man", "vmm: \"man\" is not a command", "vmm --help");
  expect_usage_error("help check x", "vmm: \"x\" is one argument too many", "vmm --help");
}

TEST(help, names_no_option_that_is_not_taken) {
  for (const std::string &command : commands())
    for (const Option &option : options_of(command)) {
      const Outcome outcome = vmm(command + ' ' + option.name +
                                  (option.value.starts_with("FILE") ? std::string(" /nowhere/at/all")
                                   : option.value.empty()           ? std::string()
                                                                    : value_for(option.value)));
      EXPECT_EQ(outcome.err.find("not supported"), std::string::npos) << command << ' ' << outcome.err;
      EXPECT_EQ(outcome.err.find("unknown option"), std::string::npos) << command << ' ' << outcome.err;
      EXPECT_EQ(outcome.err.find("is an option of"), std::string::npos) << command << ' ' << outcome.err;
    }
}

#ifdef REVEILLE_HAS_LAB
TEST(help, names_no_option_that_does_not_work) {
  for (const std::string command : {"run", "suite", "check"}) {
    const std::string backend = command == "check" ? "" : " --backend sim";
    std::size_t tried = 0;
    for (const Option &option : options_of(command)) {
      if (option.name == "--guest" || option.name == "--backend" || option.name == "-h")
        continue; // a simulated machine boots none; it is there already; another test has it
      std::filesystem::create_directory(temporary("made"));
      std::string arguments = command;
      arguments += " configs/parallel-8.toml" + backend;
      arguments += ' ' + option.name;
      arguments += option.value.empty() ? "" : value_for(option.value);
      const Outcome outcome = vmm(arguments);
      EXPECT_EQ(outcome.status, 0) << command << ' ' << option.name << ": " << outcome.err;
      std::filesystem::remove_all(temporary("made"));
      ++tried;
    }
    EXPECT_GE(tried, command == "check" ? 1U : 7U) << command;
  }
}
#endif

TEST(man, has_every_option_of_every_command) {
  const Outcome page = vmm("man");
  EXPECT_EQ(page.status, 0) << page.err;
  EXPECT_TRUE(page.out.starts_with(".TH VMM 1 ")) << page.out.substr(0, 80);
  std::size_t at = page.out.find(".SH COMMANDS\n");
  for (const std::string &command : commands()) {
    at = page.out.find(".SS vmm " + command + '\n', at);
    ASSERT_NE(at, std::string::npos) << command;
    for (const Option &option : options_of(command)) {
      std::string name;
      for (const char c : option.name)
        name += c == '-' ? std::string("\\-") : std::string(1, c);
      EXPECT_LT(page.out.find("\\fB" + name + "\\fR", at), page.out.find(".SS vmm ", at + 1))
          << command << ' ' << option.name;
    }
  }
  for (const char *key : {"vcpus", "timeout\\_ms", "strategy", "probability", "within\\_ms"}) {
    std::string plain = key;
    std::erase(plain, '\\');
    EXPECT_NE(page.out.find("\\fB" + plain + "\\fR"), std::string::npos) << plain;
  }
  expect_usage_error("man x", "vmm: man takes no argument", "vmm --help");
}

TEST(man, is_sound_for_man) {
  if (std::system("man --version > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "there is no man here";
  const std::string path = temporary("vmm.1");
  std::ofstream(path) << vmm("man").out;
  const std::string said = temporary("said");
  const std::string command = "man --warnings -E UTF-8 -l '" + path + "' > /dev/null 2> '" + said + "'";
  EXPECT_EQ(std::system(command.c_str()), 0); // NOLINT(cert-env33-c)
  EXPECT_EQ(take(said), "");
  std::remove(path.c_str());
}

/// What bash offers for the last of these words, a line each.
std::string offered(const std::string &words) {
  const std::string path = temporary("completion.bash");
  const std::string out = temporary("offered");
  std::ofstream(path) << vmm("completion bash").out << "COMP_WORDS=(" << words << ")\n"
                      << "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_vmm\n"
                      << "for word in \"${COMPREPLY[@]}\"; do echo \"$word\"; done\n";
  const std::string command =
      "cd '" REVEILLE_SOURCE_DIR "' && bash --norc -u '" + path + "' > '" + out + "' 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << words;
  std::remove(path.c_str());
  return take(out);
}

TEST(completion, offers_commands_and_scenarios) {
  const std::string all = offered("vmm ''");
  for (const std::string &command : commands())
    EXPECT_NE(('\n' + all).find('\n' + command + '\n'), std::string::npos) << command << " in\n" << all;
  EXPECT_EQ(offered("vmm che"), "check\n");
  EXPECT_EQ(offered("vmm configs/parallel-8"), "configs/parallel-8.toml\n");
  EXPECT_EQ(offered("vmm check configs/parallel-8"), "configs/parallel-8.toml\n");
  EXPECT_EQ(offered("vmm check configs/fau"), "configs/faults/\n");
  EXPECT_EQ(offered("vmm check READ"), "") << "that is no scenario";
  EXPECT_EQ(offered("vmm help che"), "check\n");
  EXPECT_EQ(offered("vmm completion ''"), "bash\n");
}

TEST(completion, offers_every_option_of_a_command) {
  for (const std::string &command : commands()) {
    const std::string all = '\n' + offered("vmm " + command + " -");
    for (const Option &option : options_of(command))
      EXPECT_NE(all.find('\n' + option.name + '\n'), std::string::npos) << command << ' ' << option.name;
  }
  EXPECT_EQ(offered("vmm check configs/one.toml --s"), "--set\n");
}

TEST(completion, offers_keys_and_their_values) {
  EXPECT_EQ(offered("vmm check --set machine.vc"), "machine.vcpus=\n");
  EXPECT_EQ(offered("vmm check --set fault.12.act"), "fault.12.action=\n");
  // Bash cuts words at "=" and ":", and puts what is offered behind the last cut.
  EXPECT_EQ(offered("vmm check --set bringup.strategy '=' ''"), "serial\nsplit\nparallel\ntree\n");
  EXPECT_EQ(offered("vmm check --set bringup.strategy '=' p"), "parallel\n");
  EXPECT_EQ(offered("vmm check --set=bringup.wait=h"), "halt\n");
  EXPECT_EQ(offered("vmm check --set fault.3.action '=' fre"), "freeze\n");
  EXPECT_EQ(offered("vmm check --set fault.3.at '=' alive."), "alive.released\n");
  EXPECT_EQ(offered("vmm check --set bringup.primary_threads_first '=' t"), "true\n");
}

#ifdef REVEILLE_HAS_LAB
TEST(completion, offers_values_and_files) {
  EXPECT_EQ(offered("vmm run --backend ''"), "kvm\nsim\n");
  EXPECT_EQ(offered("vmm run --backend '=' s"), "sim\n");
  EXPECT_EQ(offered("vmm suite --log-level crit"), "critical\n");
  EXPECT_EQ(offered("vmm run --seed ''"), "");
  EXPECT_EQ(offered("vmm run --json READ"), "README.md\n");
  EXPECT_EQ(offered("vmm configs/one.toml --junit READ"), "README.md\n") << "vmm FILE is vmm run FILE";
}
#endif

TEST(completion, is_sound_for_shellcheck) {
  if (std::system("shellcheck --version > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "there is no shellcheck here";
  const std::string path = temporary("completion.bash");
  std::ofstream(path) << vmm("completion bash").out;
  EXPECT_EQ(std::system(("shellcheck '" + path + "'").c_str()), 0); // NOLINT(cert-env33-c)
  std::remove(path.c_str());
  expect_usage_error("completion", "vmm completion: which shell? There is bash", "vmm completion --help");
  expect_usage_error("completion tcsh", "vmm completion: which shell? There is bash",
                     "vmm completion --help");
}

} // namespace
} // namespace reveille::test
