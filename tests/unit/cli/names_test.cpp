// Names from outside, in what is printed and written.
#include "vmm.hpp"

#include <filesystem>

namespace reveille::test {
namespace {

const std::string kEvil = "'a\033[2J\nb.toml'";
const std::string kShown = "a\\x1b[2J\\nb.toml";

TEST(cli, no_name_reaches_a_terminal_as_it_is) {
  EXPECT_EQ(vmm("check " + kEvil).err, kShown + ": cannot read: No such file or directory\n");
  EXPECT_EQ(vmm("--bad" + kEvil + " f").complaint(), "vmm run: unknown option --bada\\x1b[2J\\nb.toml");
  EXPECT_EQ(vmm("diff " + kEvil + " /dev/null").err.find('\033'), std::string::npos);
  const Outcome checked = vmm("check - --set 'title=\xc2\x9b"
                              "31m'",
                              "[machine]\nvcpus = 1\n");
  EXPECT_EQ(checked.status, 0) << checked.err;
  EXPECT_TRUE(checked.out.starts_with("title = \"\\u009b31m\"\n")) << checked.out;
  EXPECT_EQ(vmm("check -", checked.out).out, checked.out);
}

TEST(cli, what_is_not_utf8_is_no_value) {
  const Outcome outcome = vmm("check - --set 'title=\xff'", "[machine]\nvcpus = 1\n");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "--set title: \"\\xff\" is not UTF-8\n");
  EXPECT_EQ(outcome.out, "");
}

#ifdef REVEILLE_HAS_LAB

TEST(cli, no_name_of_a_run_or_a_suite_reaches_a_terminal_as_it_is) {
  EXPECT_EQ(vmm("run " + kEvil).err, kShown + ": cannot read: No such file or directory\n");
  EXPECT_EQ(vmm("suite " + kEvil).err, "vmm suite: " + kShown + ": No such file or directory\n");
  EXPECT_EQ(vmm("suite configs/one.toml --guest " + kEvil).complaint(),
            "vmm suite: " + kShown + ": cannot read the guest: No such file or directory");
  const std::filesystem::path folder = temporary("names");
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "a\033[2J\nb.toml") << "[machine]\nvcpus = 2\n";
  const std::string file = folder.string() + "/" + kEvil;
  for (const std::string command : {"check ", "run --backend sim ", "suite --backend sim "}) {
    const Outcome outcome = vmm(command + file);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ((outcome.out + outcome.err).find('\033'), std::string::npos) << command;
  }
  EXPECT_NE(vmm("suite --backend sim " + folder.string()).out.find(kShown), std::string::npos);
  std::filesystem::remove_all(folder);
}

#endif

} // namespace
} // namespace reveille::test
