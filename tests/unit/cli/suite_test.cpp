// What `suite` does before it runs. What comes of it is tests/unit/suite's and tests/kvm's.
#include "vmm.hpp"

#include <filesystem>

namespace reveille::test {
namespace {

#ifdef REVEILLE_HAS_LAB

const std::string kHint = "vmm suite --help";

TEST(cli, suite_says_how_it_is_used) {
  expect_usage_error("suite", "vmm suite: which scenarios? Give files, or folders of them", kHint);
  expect_usage_error("suite configs --sede 3", "vmm suite: unknown option --sede; did you mean \"--seed\"?",
                     kHint);
  expect_usage_error("suite configs -j", "vmm suite: --jobs needs a value", kHint);
  expect_usage_error("suite configs --json configs", "vmm suite: --json: configs is a directory", kHint);
  expect_usage_error("suite configs --junit /no/such/folder/x",
                     "vmm suite: --junit: there is no folder /no/such/folder", kHint);
  expect_usage_error("suite configs --json - --junit -",
                     "vmm suite: --json and --junit: only one of them can be standard output", kHint);
  expect_usage_error("suite configs --log-level lod",
                     "vmm suite: --log-level: unknown level \"lod\"; valid here: trace, debug, info, "
                     "warning, error, critical, off",
                     kHint);
  expect_usage_error("suite configs --backend xen",
                     "vmm suite: --backend: unknown backend \"xen\"; kvm or sim", kHint);
  expect_usage_error("suite configs --tap - --json -",
                     "vmm suite: --json and --tap: only one of them can be standard output", kHint);
  for (const std::string name : {"x", "-", "x.htm", ".html", "x/.html"})
    expect_usage_error(
        "suite configs --report " + name,
        "vmm suite: --report: the runs' pages go into a folder of its name without .html; give a "
        "file that ends in that, not " +
            name,
        kHint);
}

TEST(cli, suite_takes_numbers_that_make_sense) {
  for (const std::string number : {"0", "257", "x", "1x", "-1", "1.5"})
    expect_usage_error("suite configs -j " + number,
                       "vmm suite: -j: \"" + number + "\" is not a number from 1 to 256", kHint);
  for (const std::string number : {"0", "1000001"})
    expect_usage_error("suite configs --repeat " + number,
                       "vmm suite: --repeat: \"" + number + "\" is not a number from 1 to 1000000", kHint);
  expect_usage_error("suite configs --seed x",
                     "vmm suite: --seed: \"x\" is not a number from 0 to 18446744073709551615", kHint);
  expect_usage_error("suite configs --repeat 3 --seed 18446744073709551613",
                     "vmm suite: --seed: 18446744073709551613 leaves no seeds for 3 runs", kHint);
}

TEST(cli, suite_takes_shards_that_there_are) {
  for (const std::string shard : {"0/4", "5/4", "4", "/4", "4/", "1/0", "-1/4", "1/4/2", "a/b", "1 / 4", "/"})
    expect_usage_error("suite configs --shard '" + shard + "'",
                       "vmm suite: --shard: \"" + shard +
                           "\" is not I/N, the I-th of N parts: 1/4, 2/4, 3/4 or 4/4, say",
                       kHint);
}

TEST(cli, suite_refuses_what_is_not_there) {
  const Outcome outcome = vmm("suite configs/one.toml no-such.toml");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "vmm suite: no-such.toml: No such file or directory\n");
  EXPECT_EQ(outcome.out, "");
}

TEST(cli, what_is_wrong_with_every_run_is_told_once) {
  expect_usage_error("suite configs --guest no-such",
                     "vmm suite: no-such: cannot read the guest: No such file or directory", kHint);
  expect_usage_error("suite configs --guest configs/one.toml",
                     "vmm suite: configs/one.toml: not a guest that can be loaded: not an ELF file", kHint);
  expect_usage_error("suite configs --guest x --backend sim",
                     "vmm suite: --guest: a simulated machine boots no image", kHint);
  expect_usage_error("suite configs --set title=[",
                     "vmm suite: --set title: \"[\" is neither a TOML value nor a bare word", kHint);
  expect_usage_error("suite configs --set machine.vcpu=3",
                     "vmm suite: --set machine.vcpu: unknown key; did you mean \"vcpus\"?", kHint);
  const Outcome some =
      vmm("suite configs/one.toml configs/parallel-8.toml --backend sim --set bringup.max_cpus=2");
  EXPECT_EQ(some.status, 2) << "one of them has one CPU";
  EXPECT_NE(some.out.find("2 runs"), std::string::npos) << some.out;
}

TEST(cli, a_suite_overwrites_nothing_that_it_names) {
  expect_usage_error("suite configs --json /tmp/x --tap /tmp/../tmp/x",
                     "vmm suite: --tap: /tmp/../tmp/x is what --json writes, and would be overwritten",
                     kHint);
  const std::string scenario = temporary("kept.toml");
  std::ofstream(scenario) << "[machine]\nvcpus = 2\n";
  const Outcome outcome = vmm("suite --backend sim " + scenario + " --junit " + scenario);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "vmm suite: --junit: " + scenario + " is a scenario of the suite, and would be overwritten\n");
  EXPECT_EQ(take(scenario), "[machine]\nvcpus = 2\n");
  const std::filesystem::path folder = temporary("others");
  std::filesystem::create_directories(folder / "all/configs");
  const auto refused = [](const std::string &options, const std::string &file, const std::string &what) {
    const Outcome suite = vmm("suite --backend sim configs/one.toml --json " + file + options);
    EXPECT_EQ(suite.status, 2);
    EXPECT_EQ(suite.err, "vmm suite: --json: " + file + " is " + what + ", and would be overwritten\n");
  };
  const std::string all = (folder / "all").string();
  refused(" --trace " + all, all + "/configs/one.toml.json", "the trace of a run");
  refused(" --report " + all + ".html", all + "/configs/one.toml.html", "the page of a run");
  std::filesystem::remove_all(folder);
}

/// A scenario that no run takes up, so that this needs no KVM.
TEST(cli, suite_tells_invalid_files_as_runs) {
  const Outcome outcome = vmm("suite configs/one.toml --set machine.vcpus=0 --seed 3 --json - 2> /dev/null");
  EXPECT_EQ(outcome.status, 2);
  for (const char *part : {"\"verdict\": \"invalid\"", "\"seed\": 3",
                           "/vmm run configs/one.toml --set machine.vcpus=0 --seed 3\""})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << outcome.out;
}

TEST(cli, suite_help_has_its_options) {
  const Outcome outcome = vmm("suite --help");
  EXPECT_EQ(outcome.status, 0);
  for (const char *option :
       {"--jobs", "--shard", "--repeat", "--seed", "--set", "--json", "--report", "--guest", "--log-level"})
    EXPECT_NE(outcome.out.find(option), std::string::npos) << option;
}

#endif

} // namespace
} // namespace reveille::test
