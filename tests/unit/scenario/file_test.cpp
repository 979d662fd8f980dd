// Files that are no scenarios.
#include "mistakes.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace reveille::vmm {
namespace {

/// A file with that content, gone at the end of the test.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string &content)
      : path_(testing::TempDir() + "reveille-scenario-" + std::to_string(::getpid()) + ".toml") {
    std::ofstream(path_, std::ios::binary) << content;
  }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  ~TemporaryFile() { std::remove(path_.c_str()); }
  [[nodiscard]] const std::string &path() const { return path_; }

private:
  std::string path_;
};

std::string load_message(const std::string &path) {
  const auto scenario = load_scenario(path);
  if (scenario)
    return "accepted";
  EXPECT_EQ(scenario.error().status, ExitStatus::kUsage);
  return scenario.error().message;
}

TEST(scenario, syntax_errors_are_placed) {
  expect_messages({
      {kEight + "]", "3:1: not valid TOML: Error while parsing root table: expected keys, tables, whitespace "
                     "or comments, saw ']'"},
      {kEight + "vcpus = 9",
       "3:9: not valid TOML: Error while parsing key-value pair: cannot redefine existing integer 'vcpus'"},
      {"a = 1\nb = \"\xff\"\n", "2:5: not valid TOML: Encountered invalid utf-8 sequence"},
  });
  EXPECT_TRUE(message_of("[machine]\nvcpus = \n").starts_with("x.toml:2:9: not valid TOML: "))
      << message_of("[machine]\nvcpus = \n");
}

TEST(scenario, a_deep_key_is_refused_and_not_followed) {
  std::string deep = "a";
  for (int i = 0; i < 400'000; ++i)
    deep += ".a";
  EXPECT_EQ(message_of(kEight + deep + " = 1"), "x.toml:3:1: more than 256 dots in one line");
}

TEST(scenario, files_that_cannot_be_scenarios_are_refused) {
  EXPECT_EQ(load_message("/nonexistent/x.toml"),
            "/nonexistent/x.toml: cannot read: No such file or directory");
  EXPECT_EQ(load_message("/"), "/: is a directory, not a scenario file");
  EXPECT_EQ(load_message("/dev/zero"), "/dev/zero: a binary file, not a scenario: it holds NUL bytes");
  EXPECT_EQ(load_message("/dev/null"), "/dev/null:1:1: machine.vcpus: missing; it has no default");
  const TemporaryFile huge(kEight + std::string(1 << 20, '#'));
  EXPECT_EQ(load_message(huge.path()), huge.path() + ": larger than 1048576 bytes, too large for a scenario");
  const TemporaryFile fine(kEight + "#" + std::string(100'000, '#') + "\n");
  EXPECT_EQ(load_message(fine.path()), "accepted");
}

TEST(scenario, the_title_defaults_to_the_name_of_the_file) {
  EXPECT_EQ(parse_scenario(kEight, "a/b/c.toml")->title, "c.toml");
  EXPECT_EQ(parse_scenario(kEight, "-")->title, "standard input");
  EXPECT_EQ(parse_scenario(kEight, "a\nb\xff.toml")->title, "a?b?.toml");
  EXPECT_EQ(parse_scenario(kEight, std::string(200, 'x'))->title.size(), 120U);
}

} // namespace
} // namespace reveille::vmm
