#include "vmm.hpp"

namespace reveille::test {
namespace {

constexpr const char *kEight = "[machine]\nvcpus = 8\n";

TEST(cli, check_prints_what_checks_to_itself) {
  const Outcome first = vmm("check -", kEight);
  EXPECT_EQ(first.status, 0);
  EXPECT_EQ(first.err, "");
  EXPECT_NE(first.out.find("strategy = \"parallel\"\n"), std::string::npos) << first.out;
  EXPECT_NE(first.out.find("# The run ends within 35160 ms"), std::string::npos) << first.out;
  EXPECT_EQ(vmm("check -", first.out).out, first.out);
}

TEST(cli, check_goes_on_behind_a_mistake) {
  const Outcome outcome = vmm("check configs/one.toml no-such.toml configs/serial-8.toml");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "no-such.toml: cannot read: No such file or directory\n");
  EXPECT_TRUE(outcome.out.starts_with("# configs/one.toml\n")) << outcome.out;
  EXPECT_NE(outcome.out.find("\n# configs/serial-8.toml\n"), std::string::npos);
}

TEST(cli, check_places_mistakes) {
  EXPECT_EQ(vmm("check -", "[machine]\nvcpus = 0\n").err,
            "standard input:2:9: machine.vcpus: 0 is out of range: 1..1024\n");
  EXPECT_EQ(vmm("check -", "[machine]\nvcpus = 0\n").status, 2);
  EXPECT_EQ(vmm("check -", "").complaint(), "standard input:1:1: machine.vcpus: missing; it has no default");
  EXPECT_EQ(vmm("check -", std::string("a\0b", 3)).complaint(),
            "standard input: a binary file, not a scenario: it holds NUL bytes");
  EXPECT_EQ(vmm("check configs").complaint(), "configs: is a directory, not a scenario file");
}

TEST(cli, check_takes_overrides) {
  const Outcome outcome = vmm("check --set machine.vcpus=9 - --set bringup.strategy=serial", kEight);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("vcpus = 9\n"), std::string::npos);
  EXPECT_NE(outcome.out.find("strategy = \"serial\"\n"), std::string::npos);
  EXPECT_EQ(vmm("check --set machine.apic=usr -", kEight).err,
            "--set machine.apic: unknown value \"usr\"; did you mean \"user\"?\n");
}

TEST(cli, check_says_how_it_is_used) {
  expect_usage_error("check", "vmm check: which scenario? Give files, or - for standard input",
                     "vmm check --help");
  expect_usage_error("check --sett x=1 f", "vmm check: unknown option --sett; did you mean \"--set\"?",
                     "vmm check --help");
  expect_usage_error("check --set", "vmm check: --set needs a value", "vmm check --help");
}

} // namespace
} // namespace reveille::test
