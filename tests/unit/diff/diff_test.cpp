// What has changed from one result to another, and how it is told.
#include "tests/unit/diff/results.hpp"
#include "vmm/diff/text.hpp"

#include <gtest/gtest.h>

namespace reveille::test {
namespace {

using namespace reveille::vmm;

RunResult run_of(const RunText &text) {
  auto read = parse_results("x.json", text.text());
  EXPECT_TRUE(read) << (read ? "" : read.error().message);
  return read ? read->runs.at(0) : RunResult{};
}

/// CPU 0, and APs kicked at once whose points are that far apart.
std::string cpus_of(const std::vector<int> &steps) {
  std::string cpus = cpu_text(0, "online", "", "", 0);
  for (std::size_t i = 0; i < steps.size(); ++i)
    cpus += "," + cpu_text(static_cast<int>(i) + 1, "online", "", way(0, steps[i]));
  return cpus;
}

std::string text_of(const RunText &before, const RunText &after) {
  const RunResult was = run_of(before);
  const RunResult is = run_of(after);
  return comparison_text(Style{}, was, is, compare(was, is));
}

bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

TEST(diff, a_result_is_as_itself) {
  const RunResult run = run_of({.cpus = cpus_of({5, 7, 9})});
  const Comparison made = compare(run, run);
  EXPECT_FALSE(made.outcome_differs());
  EXPECT_TRUE(made.settings.empty() && made.outcomes.empty() && made.invariants.empty());
  for (const PointChange &change : made.points)
    EXPECT_FALSE(change.is_beyond().value_or(true)) << change.point;
  EXPECT_TRUE(has(comparison_text(Style{}, run, run, made), "the same of 4 CPUs"));
}

TEST(diff, cpus_that_changed_alike_are_a_group) {
  std::string after = cpu_text(0, "online", "", "", 0);
  for (int cpu = 1; cpu < 6; ++cpu)
    after +=
        "," + (cpu >= 3 ? cpu_text(cpu, "failed", "timeout@alive") : cpu_text(cpu, "online", "", way(0, 5)));
  const RunText was{.cpus = cpus_of({5, 5, 5, 5, 5, 5})};
  const RunText is{.cpus = after, .decided = "9000"};
  const Comparison made = compare(run_of(was), run_of(is));
  EXPECT_TRUE(made.outcome_differs());
  const std::string text = text_of(was, is);
  EXPECT_TRUE(has(text, "CPUs 3-5: online -> timeout@alive")) << text;
  EXPECT_TRUE(has(text, "CPU 6: online -> not in the result")) << text;
  EXPECT_TRUE(has(text, "after: the last CPU was decided 8.970 ms later, at 9.000 ms; failed: CPUs 3-5"))
      << text;
}

TEST(diff, times_alone_are_no_other_outcome) {
  const RunText was{.cpus = cpus_of({5, 6, 7})};
  const RunText is{.cpus = cpus_of({50, 60, 70})};
  const Comparison made = compare(run_of(was), run_of(is));
  EXPECT_FALSE(made.outcome_differs());
  const PointChange &alive = made.points.at(1);
  EXPECT_EQ(alive.point, "alive");
  EXPECT_EQ(alive.before.median, 6);
  EXPECT_EQ(alive.after.median, 60);
  EXPECT_EQ(alive.percent(), 900);
  EXPECT_EQ(alive.is_beyond(), true);
  EXPECT_TRUE(has(text_of(was, is), "slower"));
  EXPECT_TRUE(has(text_of(is, was), "faster"));
}

TEST(diff, a_change_within_the_spread_is_told_as_that) {
  const Comparison made =
      compare(run_of({.cpus = cpus_of({5, 6, 9})}), run_of({.cpus = cpus_of({8, 9, 90})}));
  EXPECT_EQ(made.points.at(1).is_beyond(), false); // 9 is in 5..9
  const Comparison more =
      compare(run_of({.cpus = cpus_of({5, 6, 9})}), run_of({.cpus = cpus_of({8, 10, 90})}));
  EXPECT_EQ(more.points.at(1).is_beyond(), true);
  const Comparison less =
      compare(run_of({.cpus = cpus_of({5, 6, 9})}), run_of({.cpus = cpus_of({3, 4, 90})}));
  EXPECT_EQ(less.points.at(1).is_beyond(), true);
}

TEST(diff, one_cpu_has_no_spread) {
  const RunText was{.cpus = cpus_of({5})};
  const RunText is{.cpus = cpus_of({50})};
  EXPECT_FALSE(compare(run_of(was), run_of(is)).points.at(1).is_beyond());
  EXPECT_TRUE(has(text_of(was, is), "one CPU has none"));
}

TEST(diff, the_cpu_that_was_active_last_has_its_way_told) {
  const auto last = last_active_of(run_of({.cpus = cpus_of({5, 9, 7})}));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->cpu, 2u);
  EXPECT_EQ(last->active_us, 54);
  EXPECT_EQ(last->stretches.at(0), 0);
  EXPECT_EQ(last->stretches.at(6), 9);
  EXPECT_FALSE(last_active_of(run_of({.cpus = cpu_text(0, "online", "", "", 0)})));
}

TEST(diff, a_point_without_a_time_leaves_its_stretch_to_the_next) {
  const std::string holed =
      R"("kick": 2, "alive": null, "started": 10, "synced": 11, "online": 12, "idle": 13,
                               "active": 14)";
  const auto last = last_active_of(run_of({.cpus = cpu_text(1, "online", "", holed)}));
  ASSERT_TRUE(last);
  EXPECT_FALSE(last->stretches.at(1));
  EXPECT_EQ(last->stretches.at(2), 8);
}

TEST(diff, an_invariant_that_broke_is_another_outcome_one_not_judged_is_not) {
  const auto with = [](const std::string &holds, const std::string &evidence) {
    return RunText{.cpus = cpus_of({5}),
                   .invariants =
                       R"({"name": "one-writer", "holds": )" + holds + R"(, "evidence": )" + evidence + "}"};
  };
  const RunText holds = with("true", "null");
  const RunText broken = with("false", "\"CPU 3 wrote\"");
  const RunText unknown = with("null", "\"a ring was full\"");
  EXPECT_TRUE(compare(run_of(holds), run_of(broken)).outcome_differs());
  EXPECT_TRUE(compare(run_of(broken), run_of(unknown)).outcome_differs());
  EXPECT_FALSE(compare(run_of(holds), run_of(unknown)).outcome_differs());
  EXPECT_FALSE(compare(run_of(broken), run_of(broken)).outcome_differs());
  const std::string text = text_of(holds, broken);
  EXPECT_TRUE(has(text, "one-writer: holds -> broken\n    CPU 3 wrote")) << text;
  EXPECT_TRUE(has(text_of({.cpus = cpus_of({5})}, holds), "one-writer: not in the result -> holds"));
}

TEST(diff, attempts_faults_and_settings_are_told) {
  const auto with = [](int fired, const std::string &scenario, int attempts) {
    return RunText{.cpus = cpu_text(1, "online", "", way(0, 5), attempts),
                   .faults = R"({"fault": 0, "cpu": 1, "at": "alive", "action": "stall", "fired": )" +
                             std::to_string(fired) + "}",
                   .scenario = scenario};
  };
  const std::string text = text_of(with(0, "a.toml", 1), with(2, "b.toml", 2));
  EXPECT_TRUE(has(text, "scenario  a.toml -> b.toml")) << text;
  EXPECT_TRUE(has(text, "CPU 1: 1 attempt -> 2 attempts")) << text;
  EXPECT_TRUE(has(text, "CPU 1: stall at alive fired 0 -> 2")) << text;
}

TEST(diff, no_terminal_obeys_what_a_file_holds) {
  const RunText was{.cpus = cpu_text(1, "failed", "timeout@\\u001b[2J"), .scenario = "\\u001b]0;x\\u0007"};
  const RunText is{.cpus = cpus_of({5}),
                   .invariants = R"({"name": "\u001b[31m", "holds": false, "evidence": "\u009b2J"})"};
  const std::string text = text_of(was, is);
  for (const char c : text)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_FALSE(has(text, "\u009b"));
}

ResultFile suite_of(const std::vector<RunText> &runs) {
  ResultFile file{.suite = true, .runs = {}};
  for (const RunText &run : runs)
    file.runs.push_back(run_of(run));
  return file;
}

TEST(diff, suites_are_compared_by_scenario_and_seed) {
  const RunText a{.cpus = cpus_of({5}), .scenario = "a.toml"};
  const RunText b{.cpus = cpus_of({5}), .scenario = "b.toml"};
  const RunText b1{.cpus = cpus_of({5}), .scenario = "b.toml", .seed = 1};
  const RunText b_fails{.cpus = cpus_of({5}), .verdict = "fail", .scenario = "b.toml"};
  EXPECT_FALSE(compare_suites(Style{}, suite_of({b, a}), suite_of({a, b})).differs);
  const SuiteComparison fails = compare_suites(Style{}, suite_of({a, b}), suite_of({a, b_fails}));
  EXPECT_TRUE(fails.differs);
  EXPECT_TRUE(has(fails.text, "== b.toml (seed 0)")) << fails.text;
  EXPECT_FALSE(has(fails.text, "== a.toml")) << fails.text;
  EXPECT_TRUE(
      has(fails.text, "2 runs compared: 1 with another outcome, 1 with the same; 0 in one of the two only"));
  const SuiteComparison more = compare_suites(Style{}, suite_of({a}), suite_of({a, b1}));
  EXPECT_TRUE(more.differs);
  EXPECT_TRUE(has(more.text, "b.toml (seed 1): only after, PASS")) << more.text;
}

} // namespace
} // namespace reveille::test
