#include "vmm/suite/outcome.hpp"

#include "vmm/suite/tally.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>

namespace reveille::vmm {
namespace {

using Json = nlohmann::json;
using How = JobEnd::How;

const RunName kRun{
    .file = "a.toml", .title = "A", .seed = 9, .backend = Backend::kSim, .strategy = abi::Strategy::kTree};

JobEnd exited(int status, const std::string &out = "", const std::string &err = "") {
  return {.how = How::kEnded, .status = {true, status}, .why = {}, .out = out, .err = err, .seconds = 1.5};
}

JobEnd killed(int signal, How how = How::kEnded) {
  return {.how = how, .status = {false, signal}, .why = {}, .out = {}, .err = {}};
}

std::string result(const std::string &verdict, int exit, const std::string &differences = "[]",
                   const std::string &more = "") {
  return "{\"schema\": 1,  \"verdict\": \"" + verdict + "\", \"exit\": " + std::to_string(exit) +
         ", \"cpus\": [{}, {}], \"differences\": " + differences + more + "}\n";
}

/// A result that stands in for one: which verdict, and why.
void expect_made(const JobEnd &end, SuiteVerdict verdict, const std::string &difference) {
  const Outcome outcome = outcome_of(kRun, end);
  EXPECT_EQ(row_of(outcome.verdict).name, row_of(verdict).name) << difference;
  EXPECT_EQ(outcome.difference, difference);
  const Json json = Json::parse(outcome.json);
  EXPECT_EQ(json["verdict"], row_of(verdict).name);
  EXPECT_EQ(json["exit"], static_cast<int>(row_of(verdict).exit));
  EXPECT_EQ(json["differences"], Json::array({difference}));
  EXPECT_EQ(json["scenario"], "a.toml");
  EXPECT_EQ(json["title"], "A");
  EXPECT_EQ(json["seed"], 9);
  EXPECT_EQ(json["backend"], "sim");
  EXPECT_EQ(json["strategy"], "tree");
}

TEST(SuiteOutcome, TheRunsOwnResultIsKeptAsItIs) {
  const Outcome pass = outcome_of(kRun, exited(0, result("pass", 0)));
  EXPECT_EQ(pass.verdict, SuiteVerdict::kPass);
  EXPECT_EQ(pass.json + "\n", result("pass", 0));
  EXPECT_EQ(pass.difference, "");
  EXPECT_EQ(pass.seconds, 1.5);
  const Outcome failed = outcome_of(kRun, exited(1, result("fail", 1, R"(["first", "second"])"), "log"));
  EXPECT_EQ(failed.verdict, SuiteVerdict::kFail);
  EXPECT_EQ(failed.difference, "first");
  EXPECT_EQ(failed.log, "log");
}

TEST(SuiteOutcome, EachVerdictHasItsStatus) {
  for (const SuiteVerdictRow &row : kSuiteVerdicts) {
    const int status = static_cast<int>(row.exit);
    const Outcome outcome = outcome_of(kRun, exited(status, result(std::string(row.name), status)));
    EXPECT_EQ(outcome.verdict, row.verdict) << row.name;
  }
}

TEST(SuiteOutcome, ABrokenInvariantIsADifferenceToo) {
  const std::string invariants =
      R"(, "invariants": [{"name": "a", "holds": true}, {"name": "b", "holds": false, "evidence": "seen"}])";
  EXPECT_EQ(outcome_of(kRun, exited(4, result("broken", 4, "[]", invariants))).difference, "b: seen");
}

TEST(SuiteOutcome, AnInterruptedRunsOwnResultCounts) {
  JobEnd end = exited(130, result("interrupted", 130, R"(["interrupted"])"));
  end.how = How::kInterrupted;
  EXPECT_EQ(outcome_of(kRun, end).json + "\n", end.out);
}

TEST(SuiteOutcome, ARunThatWasRefusedSaysWhy) {
  expect_made(exited(2, "", "vmm run: no such option\nTry: vmm run --help\n"), SuiteVerdict::kInvalid,
              "vmm run: no such option");
  expect_made(exited(3, "", "no KVM\n"), SuiteVerdict::kUnsupported, "no KVM");
}

TEST(SuiteOutcome, ARunWithoutAResultIsBroken) {
  expect_made(exited(5), SuiteVerdict::kBroken,
              "the run broke down: it exited with status 5, and it wrote no result");
  expect_made(exited(0, "", "one\ntwo \n"), SuiteVerdict::kBroken,
              "the run broke down: it exited with status 0, and it wrote no result; the last it said: two");
  expect_made(exited(2), SuiteVerdict::kBroken,
              "the run broke down: it exited with status 2, and it wrote no result");
  expect_made(killed(SIGSEGV), SuiteVerdict::kBroken,
              "the run broke down: signal 11 ended it (Segmentation fault), and it wrote no result");
}

TEST(SuiteOutcome, GarbageIsNoResult) {
  for (const std::string garbage :
       {"garbage", "[]", "{", "{}", R"({"schema": 2, "verdict": "pass", "exit": 0})",
        R"({"schema": 1, "verdict": "maybe", "exit": 0})", R"({"schema": 1, "verdict": "pass", "exit": 1})",
        R"({"schema": 1, "verdict": 0, "exit": "0"})",
        "{\"schema\": 1, \"verdict\": \"pass\", \"exit\": 0} x", "\xff"})
    expect_made(exited(0, garbage), SuiteVerdict::kBroken,
                "the run broke down: it exited with status 0, and what it wrote is not a result");
  expect_made(exited(0, std::string(100'000, '[')), SuiteVerdict::kBroken,
              "the run broke down: it exited with status 0, and what it wrote is not a result");
  JobEnd cut = exited(0, result("pass", 0));
  cut.out_cut = true;
  expect_made(cut, SuiteVerdict::kBroken,
              "the run broke down: it exited with status 0, and its result is too long to be one");
}

TEST(SuiteOutcome, AResultThatTheStatusBeliesDoesNotCount) {
  expect_made(exited(4, result("pass", 0)), SuiteVerdict::kBroken,
              "the run broke down: it exited with status 4, and its result says pass");
  JobEnd hung_up = killed(SIGHUP); // the number of a failed run's status
  hung_up.out = result("fail", 1);
  expect_made(hung_up, SuiteVerdict::kBroken,
              "the run broke down: signal 1 ended it (Hangup), and its result says fail");
  JobEnd crashed = killed(SIGABRT);
  crashed.out = result("pass", 0);
  expect_made(crashed, SuiteVerdict::kBroken,
              "the run broke down: signal 6 ended it (Aborted), and its result says pass");
}

TEST(SuiteOutcome, AHungRunIsBrokenWhateverItWrote) {
  JobEnd end = exited(130, result("interrupted", 130));
  end.how = How::kHung;
  end.why = "hung: it was to end within 3.0 s; ended by SIGTERM";
  expect_made(end, SuiteVerdict::kBroken, end.why);
}

TEST(SuiteOutcome, AnInterruptedRunWithoutAResultIsInterrupted) {
  expect_made(killed(SIGINT, How::kInterrupted), SuiteVerdict::kInterrupted,
              "interrupted: signal 2 ended it (Interrupt), and it wrote no result");
}

TEST(SuiteOutcome, ARunThatNeverBegan) {
  JobEnd end;
  end.how = How::kNotStarted;
  end.why = "cannot start a process";
  expect_made(end, SuiteVerdict::kBroken, "cannot start a process");
  end.failure = ExitStatus::kUnsupported;
  expect_made(end, SuiteVerdict::kUnsupported, "cannot start a process");
  const Outcome outcome = outcome_of(kRun, Error{ExitStatus::kUsage, "a.toml:1:1: wrong"});
  EXPECT_EQ(outcome.verdict, SuiteVerdict::kInvalid);
  EXPECT_EQ(outcome.difference, "a.toml:1:1: wrong");
}

// --- and what it all comes to

TEST(SuiteTally, TheWorstVerdictDecides) {
  using enum SuiteVerdict;
  // Exit statuses: 4, 2, 1, 3, 0, and 130 before all of them.
  Counts counts;
  EXPECT_EQ(counts.worst(), kPass);
  for (const SuiteVerdict verdict : {kPass, kUnsupported, kFail, kInvalid, kBroken, kInterrupted}) {
    counts.add(kPass);
    counts.add(verdict);
    EXPECT_EQ(counts.worst(), verdict);
  }
  EXPECT_EQ(counts.all(), 12U);
  EXPECT_EQ(counts.failed(), 3U);
}

TEST(SuiteTally, KnowsEachScenariosFailures) {
  Tally tally(2);
  Outcome pass;
  pass.verdict = SuiteVerdict::kPass;
  pass.seconds = 1;
  Outcome failed = pass;
  failed.verdict = SuiteVerdict::kFail;
  failed.difference = "x";
  tally.add(3, {1, 8}, failed);
  tally.add(0, {0, 7}, pass);
  tally.add(2, {1, 7}, failed);
  EXPECT_EQ(tally.scenarios[0].counts.failed(), 0U);
  EXPECT_EQ(tally.scenarios[1].counts.failed(), 2U);
  EXPECT_EQ(tally.scenarios[1].seconds, 2);
  const auto failures = tally.failures_in_order();
  ASSERT_EQ(failures.size(), 2U);
  EXPECT_EQ(failures[0]->run, 2U);
  EXPECT_EQ(failures[1]->spec.seed, 8U);
  EXPECT_EQ(tally.verdict(), SuiteVerdict::kFail);
  tally.interrupted = true;
  EXPECT_EQ(tally.verdict(), SuiteVerdict::kInterrupted);
}

} // namespace
} // namespace reveille::vmm
