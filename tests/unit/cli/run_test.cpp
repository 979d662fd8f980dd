// What `run` does before it runs. What comes of a run is tests/kvm's and tests/suite's.
#include "vmm.hpp"

namespace reveille::test {
namespace {

#ifdef REVEILLE_HAS_LAB

const std::string kTwo = "[machine]\nvcpus = 2\n";

TEST(cli, run_says_how_it_is_used) {
  const std::string hint = "vmm run --help";
  expect_usage_error("run", "vmm run: which scenario? Give a file, or - for standard input", hint);
  expect_usage_error("run a b", "vmm run: \"b\" is one argument too many", hint);
  expect_usage_error("a.toml b.toml", "vmm run: \"b.toml\" is one argument too many", hint);
  expect_usage_error("run --sede 3 f", "vmm run: unknown option --sede; did you mean \"--seed\"?", hint);
  expect_usage_error("--wibble f", "vmm run: unknown option --wibble", hint);
  expect_usage_error("run --seed", "vmm run: --seed needs a value", hint);
  expect_usage_error("run --seed 1 --seed 2", "vmm run: --seed is given more than once", hint);
  for (const std::string name :
       {"--json", "--junit", "--trace", "--report", "--guest", "--seed", "--backend"})
    expect_usage_error("run f " + name + " ''",
                       "vmm run: " + name + " needs a value, and was given an empty one", hint);
  expect_usage_error("run --seed three f",
                     "vmm run: --seed: \"three\" is not a number from 0 to 18446744073709551615", hint);
  expect_usage_error("run --seed -1 f",
                     "vmm run: --seed: \"-1\" is not a number from 0 to 18446744073709551615", hint);
  expect_usage_error("run --log-level lod f",
                     "vmm run: --log-level: unknown level \"lod\"; valid here: trace, debug, info, warning, "
                     "error, critical, off",
                     hint);
  expect_usage_error("run --json /no/such/folder/x f", "vmm run: --json: there is no folder /no/such/folder",
                     hint);
  expect_usage_error("run --json configs f", "vmm run: --json: configs is a directory", hint);
  expect_usage_error("run --junit configs f", "vmm run: --junit: configs is a directory", hint);
  expect_usage_error("run --trace configs f", "vmm run: --trace: configs is a directory", hint);
  expect_usage_error("run --json - --junit - f",
                     "vmm run: --json and --junit: only one of them can be standard output", hint);
  expect_usage_error("run --trace - --junit - f",
                     "vmm run: --junit and --trace: only one of them can be standard output", hint);
}

/// A full disk does not change what a run has come to, nor keep the other results back.
TEST(cli, a_result_that_cannot_be_written_is_told_and_the_others_are_written) {
  const std::string junit = temporary("junit.xml");
  const Outcome outcome =
      vmm("- --backend sim --json /dev/full --junit '" + junit + "'", "[machine]\nvcpus = 2\n");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("/dev/full"), std::string::npos) << outcome.err;
  EXPECT_NE(take(junit).find("<testcase"), std::string::npos);
}

/// What a file may not grow beyond is like a disk that is full: SIGXFSZ ends nobody.
TEST(cli, a_file_beyond_its_limit_is_an_output_that_cannot_be_written) {
  const std::string json = temporary("large.json");
  // What it says goes through a pipe, which has no limit, as a file has.
  const std::string run =
      "(ulimit -f 0; '" REVEILLE_VMM "' - --backend sim --json '" + json + "'; echo $? >&2)";
  const Outcome outcome = shell("{ " + run + " 2>&1 > /dev/null; } | cat >&2", kTwo);
  EXPECT_TRUE(outcome.err.ends_with("\n2\n")) << outcome.err;
  EXPECT_NE(outcome.err.find("cannot write the result to " + json + ": File too large"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(take(json), "");
}

TEST(cli, an_invalid_scenario_has_its_results_too) {
  const std::string json = temporary("invalid.json");
  const std::string junit = temporary("invalid.xml");
  const std::string trace = temporary("invalid.trace");
  const Outcome outcome = vmm("run no-such.toml --seed 4 --backend sim --json '" + json + "' --junit '" +
                              junit + "' --trace '" + trace + "'");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "no-such.toml: cannot read: No such file or directory\n");
  EXPECT_EQ(outcome.out, "");
  const std::string result = take(json);
  for (const char *part :
       {"\"scenario\": \"no-such.toml\"", "\"title\": \"no-such.toml\"", "\"backend\": \"sim\"",
        "\"strategy\": null", "\"seed\": 4", "\"exit\": 2", "\"verdict\": \"invalid\"",
        "\"no-such.toml: cannot read: No such file or directory\""})
    EXPECT_NE(result.find(part), std::string::npos) << part;
  EXPECT_NE(take(junit).find("<error type=\"invalid\" message=\"no-such.toml: cannot read"),
            std::string::npos);
  EXPECT_EQ(::access(trace.c_str(), F_OK), -1) << "there is nothing to trace";
  const Outcome printed = vmm("- --json -", "[machine]\nvcpus = 0\n");
  EXPECT_EQ(printed.status, 2);
  EXPECT_NE(printed.out.find("\"verdict\": \"invalid\""), std::string::npos) << printed.out;
}

TEST(cli, a_run_overwrites_nothing_that_it_names) {
  const std::string hint = "vmm run --help";
  const std::string scenario = temporary("kept.toml");
  std::ofstream(scenario) << kTwo;
  expect_usage_error("run f --json /tmp/x --junit /tmp/./x",
                     "vmm run: --junit: /tmp/./x is what --json writes, and would be overwritten", hint);
  expect_usage_error(scenario + " --trace " + scenario,
                     "vmm run: --trace: " + scenario + " is the scenario, and would be overwritten", hint);
  expect_usage_error("run f --guest " + scenario + " --report " + scenario,
                     "vmm run: --report: " + scenario + " is the guest, and would be overwritten", hint);
  EXPECT_EQ(take(scenario), kTwo);
  EXPECT_EQ(vmm("- --backend sim --json /dev/null --junit /dev/null", kTwo).status, 0);
}

TEST(cli, a_page_has_no_room_for_any_number_of_cpus) {
  const Outcome outcome = vmm("- --backend sim --report page.html", "[machine]\nvcpus = 10001\n");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.complaint(), "vmm run: --report: a page has room for 10000 CPUs, and this run has 10001; "
                                 "--json and --trace have room for all");
}

TEST(cli, run_takes_a_backend) {
  const std::string hint = "vmm run --help";
  expect_usage_error("run f --backend xen", "vmm run: --backend: unknown backend \"xen\"; kvm or sim", hint);
  expect_usage_error("run f --backend sim --guest x", "vmm run: --guest: a simulated machine boots no image",
                     hint);
  const std::string scenario = "[machine]\nvcpus = 8\n";
  const Outcome first = vmm("- --backend sim --json - --seed 5", scenario);
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_NE(first.out.find("\"backend\": \"sim\""), std::string::npos);
  EXPECT_NE(first.out.find("\"verdict\": \"pass\""), std::string::npos);
  EXPECT_NE(first.err.find("PASS  8 of 8 online"), std::string::npos) << first.err;
  EXPECT_EQ(first.out, vmm("- --backend sim --json - --seed 5", scenario).out); // byte for byte
  EXPECT_NE(first.out, vmm("- --backend sim --json - --seed 6", scenario).out);
}

TEST(cli, only_the_simulator_takes_very_many_cpus) {
  const std::string scenario = "[machine]\nvcpus = 2000\n";
  const Outcome refused = vmm("-", scenario);
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("2000 is out of range: 1..1024"), std::string::npos) << refused.err;
  EXPECT_EQ(vmm("- --backend sim", scenario).status, 0);
  EXPECT_EQ(vmm("check -", scenario).status, 2);
  EXPECT_EQ(vmm("check - --backend kvm", scenario).status, 2);
  EXPECT_NE(vmm("check - --backend sim", scenario).out.find("\nvcpus = 2000\n"), std::string::npos);
  expect_usage_error("check f --backend xen", "vmm check: --backend: unknown backend \"xen\"; kvm or sim",
                     "vmm check --help");
}

TEST(cli, options_of_a_suite_are_no_options_of_a_run) {
  const auto refused = [](const std::string &option, const std::string &value) {
    expect_usage_error("run f " + option + value, "vmm run: " + option + " is an option of vmm suite",
                       "vmm run --help");
  };
  for (const char *option : {"--shard", "--repeat", "--jobs", "--tap"})
    for (const char *value : {"", " 2", "=2"})
      refused(option, value);
}

TEST(cli, a_run_that_never_began_has_its_seed) {
  const Outcome outcome = vmm("run configs/one.toml --seed 5 --guest /no/such/guest --json - 2> /dev/null");
  EXPECT_NE(outcome.out.find("\"seed\": 5,"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\"strategy\": \"parallel\","), std::string::npos) << outcome.out;
}

TEST(cli, run_refuses_what_is_no_scenario) {
  EXPECT_EQ(vmm("run no-such.toml").err, "no-such.toml: cannot read: No such file or directory\n");
  EXPECT_EQ(vmm("no-such.toml").status, 2);
  const Outcome outcome =
      vmm("- --set machine.vcpus=0 --backend kvm --log-level off", "[machine]\nvcpus = 8\n");
  EXPECT_EQ(outcome.err, "--set machine.vcpus: 0 is out of range: 1..1024\n");
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.status, 2);
}

TEST(cli, run_help_has_its_options) {
  const Outcome outcome = vmm("run --help");
  EXPECT_EQ(outcome.status, 0);
  for (const char *option :
       {"--set", "--seed", "--json", "--junit", "--trace", "--report", "--log-level", "--guest", "--backend"})
    EXPECT_NE(outcome.out.find(option), std::string::npos) << option;
}

#else

TEST(cli, a_build_without_the_lab_says_so) {
  EXPECT_EQ(vmm("configs/one.toml").status, 2);
  EXPECT_NE(vmm("configs/one.toml").err.find("this build cannot run scenarios"), std::string::npos);
}

#endif

} // namespace
} // namespace reveille::test
