// vmm without a command, help, version, and commands that there are not.
#include "vmm.hpp"

namespace reveille::test {
namespace {

TEST(cli, no_arguments_are_short_help_and_a_usage_error) {
  const Outcome outcome = vmm("");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("Usage:"), std::string::npos);
}

TEST(cli, help_is_what_was_asked_for) {
  for (const char *arguments :
       {"--help", "-h", "check --help", "points --help", "diff --help", "check -h x y"}) {
    const Outcome outcome = vmm(arguments);
    EXPECT_EQ(outcome.status, 0) << arguments;
    EXPECT_EQ(outcome.err, "") << arguments;
    EXPECT_NE(outcome.out.find("Example"), std::string::npos) << arguments;
  }
}

TEST(cli, help_names_nothing_that_does_not_work) {
  std::string help;
  for (const char *arguments : {"--help", "check --help", "points --help", "diff --help", "run --help",
                                "suite --help", "doctor --help"})
    help += vmm(arguments).out;
  EXPECT_EQ(help.find("markdown"), std::string::npos);
}

TEST(cli, the_version_is_a_line) {
  const Outcome outcome = vmm("--version");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(outcome.out.starts_with("vmm ")) << outcome.out;
}

TEST(cli, diff_says_how_it_is_used) {
  const std::string hint = "vmm diff --help";
  const std::string which = "vmm diff: which results? Give two files, or a file and - for standard input";
  expect_usage_error("diff", which, hint);
  expect_usage_error("diff a.json", which, hint);
  expect_usage_error("diff a.json b.json c.json", "vmm diff: \"c.json\" is one argument too many", hint);
  expect_usage_error("diff - -", "vmm diff: only one of the two can be standard input", hint);
  expect_usage_error("diff --josn f", "vmm diff: unknown option --josn", hint);
}

TEST(cli, points_prints_points_places_and_actions) {
  const Outcome outcome = vmm("points");
  EXPECT_EQ(outcome.status, 0);
  for (const char *word : {"alive", "started", "synced", "online", "idle", "active", "STARTING", "kick",
                           "time:MS", "freeze", "garbage", "kvm"})
    EXPECT_NE(outcome.out.find(word), std::string::npos) << word;
  expect_usage_error("points x", "vmm points: \"x\" is one argument too many", "vmm points --help");
}

TEST(cli, a_full_disk_is_an_error) {
  for (const std::string command : {"--version", "points"}) { // one that fits a buffer, one that does not
    const int status = std::system(("'" REVEILLE_VMM "' " + command + " > /dev/full 2> /dev/null").c_str());
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 4) << command;
  }
}

} // namespace
} // namespace reveille::test
