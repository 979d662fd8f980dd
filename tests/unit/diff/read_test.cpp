// What is a result, and what is said of what is none.
#include "tests/unit/diff/results.hpp"
#include "vmm/diff/read.hpp"

#include <gtest/gtest.h>

namespace reveille::test {
namespace {

using namespace reveille::vmm;

const std::string kSound =
    RunText{.cpus = cpu_text(1, "online", "", way(10, 5)) + "," + cpu_text(0, "online", "", "", 0),
            .invariants = R"({"name": "one-writer", "holds": null, "evidence": "x"})",
            .faults = R"({"fault": 0, "cpu": 1, "at": "alive", "action": "stall",
                                                 "fired": 2})"}
        .text();

std::string complaint(const std::string &text) {
  const auto read = parse_results("a.json", text);
  EXPECT_FALSE(read) << text.substr(0, 100);
  if (read)
    return {};
  EXPECT_EQ(read.error().status, ExitStatus::kUsage);
  return read.error().message;
}

std::string changed(const std::string &from, const std::string &to) {
  std::string text = kSound;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(read, takes_a_result_as_it_is) {
  const auto read = parse_results("a.json", kSound);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_FALSE(read->suite);
  const RunResult &run = read->runs.at(0);
  EXPECT_EQ(run.scenario, "s.toml");
  ASSERT_EQ(run.cpus.size(), 2u);
  EXPECT_EQ(run.cpus[0].cpu, 0u); // sorted
  EXPECT_EQ(run.cpus[1].points.kick, 10.0);
  EXPECT_EQ(run.cpus[1].points.arrived.back(), 40.0);
  EXPECT_FALSE(run.cpus[0].points.kick);
  EXPECT_EQ(run.faults.at(0).fired, 2u);
  EXPECT_FALSE(run.invariants.at(0).holds);
  EXPECT_EQ(run.bringup_us, 40.5);
}

TEST(read, says_what_is_no_json_and_where) {
  EXPECT_EQ(complaint(""), "a.json: empty, where a result was to be");
  EXPECT_EQ(complaint(" \n"), "a.json: empty, where a result was to be");
  EXPECT_EQ(complaint("PASS  8 of 8 online"), "a.json: not JSON: line 1, byte 1 of it");
  EXPECT_EQ(complaint("{\n \"schema\": 1,\n oops}"), "a.json: not JSON: line 3, byte 2 of it");
  EXPECT_EQ(complaint(std::string("\x7f\x45\x4c\x46\0\0", 6)), "a.json: not JSON: line 1, byte 1 of it");
}

TEST(read, every_result_that_is_cut_short_is_told_as_that) {
  for (std::size_t i = kSound.find('1'); i < kSound.size(); ++i)
    EXPECT_EQ(complaint(kSound.substr(0, i)), "a.json: cut short: its JSON has no end") << i;
}

TEST(read, names_the_key_that_is_wrong) {
  const std::string no = "a.json: not a result: ";
  EXPECT_EQ(complaint("[]"), "a.json: JSON, but not a result of vmm run or vmm suite: it has no schema");
  EXPECT_EQ(complaint(R"({"schema": 2})"), "a.json: a result of schema 2; this vmm reads schema 1");
  EXPECT_EQ(complaint(R"({"schema": "\u001b[2J"})"),
            "a.json: a result of schema \"\\u001b[2J\"; this vmm reads schema 1");
  EXPECT_EQ(complaint(R"({"schema": 1})"), no + "scenario is missing");
  EXPECT_EQ(complaint(changed("\"pass\"", "\"fine\"")), no + "verdict is none that there is");
  EXPECT_EQ(complaint(changed("40.5", "\"soon\"")),
            no + "bringup_us is not a time in microseconds, nor null");
  EXPECT_EQ(complaint(changed("40.5", "-1")), no + "bringup_us is not a time in microseconds, nor null");
  EXPECT_EQ(complaint(changed("40.5", "1e999")),
            "a.json: not a result: a number in it is beyond what a double holds");
  EXPECT_EQ(complaint(changed("\"online\", \"reason\"", "\"up\", \"reason\"")),
            no + "cpus[0].outcome is not one of online, failed, not-attempted");
  EXPECT_EQ(complaint(changed("\"reason\": null", "\"reason\": \"timeout@alive\"")),
            no + "cpus[0].reason does not go with the outcome: a CPU has one if it failed");
  EXPECT_EQ(complaint(changed("\"cpu\": 1", "\"cpu\": 99999999")),
            no + "cpus[0].cpu is not a whole number from 0 to 1048575");
  EXPECT_EQ(complaint(changed("\"cpu\": 1", "\"cpu\": 0")), no + "cpus has CPU 0 twice");
  EXPECT_EQ(complaint(changed("\"idle\": 35", "\"lazy\": 35")), no + "cpus[0].idle is missing");
  EXPECT_EQ(complaint(changed("\"holds\": null", "\"holds\": 1")),
            no + "invariants[0].holds is not true, false or null");
  EXPECT_EQ(complaint(changed("\"faults\": [", "\"faults\": [3, ")), no + "faults[0] is not an object");
  EXPECT_EQ(complaint(changed("\"differences\": []", "\"differences\": {}")),
            no + "differences is not a list");
}

TEST(read, a_text_without_bottom_is_refused_before_it_is_taken_in) {
  EXPECT_EQ(complaint(std::string(1'000'000, '[')), "a.json: not a result: it nests deeper than one");
  std::string brackets(100, '[');
  const auto read = parse_results("a.json", changed("s.toml", brackets + "\\\"" + brackets));
  EXPECT_TRUE(read) << "brackets in a string are no depth";
}

TEST(read, a_suite_has_each_run_once) {
  const std::string two = R"({"schema": 1, "summary": {}, "runs": [)" + kSound + ",";
  const auto read = parse_results("a.json", two + changed("\"seed\": 0", "\"seed\": 1") + "]}");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->suite);
  EXPECT_EQ(read->runs.size(), 2u);
  EXPECT_EQ(complaint(two + kSound + "]}"),
            "a.json: not a result: runs[1] is of the same scenario and seed as runs[0]");
  EXPECT_EQ(complaint(two + changed("\"cpu\": 1", "\"cpu\": -1") + "]}"),
            "a.json: not a result: runs[1].cpus[0].cpu is not a whole number from 0 to 1048575");
}

} // namespace
} // namespace reveille::test
