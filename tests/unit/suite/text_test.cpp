#include "vmm/suite/text.hpp"

#include "vmm/suite/command_line.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace reveille::vmm {
namespace {

const std::vector<std::string> kFiles{"configs/a.toml", "configs/longer name.toml"};

/// What is written to a stream.
class Stream {
public:
  Stream() : file_(::open_memstream(&text_, &size_)) {}
  ~Stream() {
    std::fclose(file_);
    std::free(text_);
  }
  Stream(const Stream &) = delete;
  Stream &operator=(const Stream &) = delete;
  [[nodiscard]] std::FILE *file() const { return file_; }
  [[nodiscard]] std::string text() const {
    std::fflush(file_);
    return {text_, size_};
  }

private:
  char *text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE *file_;
};

Outcome outcome(SuiteVerdict verdict, const std::string &difference = "", double seconds = 0.25) {
  Outcome made;
  made.verdict = verdict;
  made.difference = difference;
  made.seconds = seconds;
  made.log = "what it\033 said\n";
  return made;
}

/// A suite told from its first run to its end.
struct Told {
  explicit Told(SuiteOptions suite_options, const Style &live_style = {})
      : options(std::move(suite_options)),
        text(options, kFiles, plan, people.file(), Style{}, live.file(), live_style) {}

  void run(std::size_t index, const Outcome &made) {
    text.started(plan.at(index), tally);
    tally.add(index, plan.at(index), made);
    text.ended(plan.at(index), made, tally);
  }

  SuiteOptions options;
  Plan plan{kFiles.size(), options.seed, options.repeat, options.shard};
  Tally tally{kFiles.size()};
  Stream people;
  Stream live;
  SuiteText text;
};

TEST(SuiteText, ALineForEachRunAndASummary) {
  SuiteOptions options;
  options.sets = {"bringup.timeout_ms=300"};
  Told told(options);
  told.run(0, outcome(SuiteVerdict::kPass));
  told.run(1, outcome(SuiteVerdict::kFail, "CPU 3: expected\033 online", 12.5));
  told.text.finish(told.tally, 13);
  EXPECT_EQ(told.people.text(),
            "PASS         configs/a.toml               0.25 s\n"
            "FAIL         configs/longer name.toml    12.50 s\n"
            "             CPU 3: expected\\x1b online\n"
            "\n"
            "FAIL         configs/longer name.toml\n"
            "             CPU 3: expected\\x1b online\n"
            "             again: vmm run 'configs/longer name.toml' --set bringup.timeout_ms=300 --seed 0\n"
            "\n"
            "FAIL  2 runs in 13.00 s: 1 pass, 1 fail\n");
  EXPECT_EQ(told.live.text(), "");
}

TEST(SuiteText, ALineForEachScenarioThatIsRepeated) {
  SuiteOptions options;
  options.repeat = 5;
  options.seed = 10;
  Told told(options);
  told.run(0, outcome(SuiteVerdict::kPass));
  EXPECT_EQ(told.people.text(), "");
  for (const std::size_t run : {1U, 2U, 3U, 4U})
    told.run(run, outcome(SuiteVerdict::kFail, "x"));
  EXPECT_EQ(told.people.text(), "FAIL         configs/a.toml            4 of 5 runs failed     1.25 s\n"
                                "             seed 11: x\n"
                                "             seed 12: x\n"
                                "             seed 13: x\n"
                                "             and 1 more\n");
  for (const std::size_t run : {5U, 6U, 7U, 8U, 9U})
    told.run(run, outcome(SuiteVerdict::kPass));
  const std::string text = told.people.text();
  EXPECT_NE(text.find("PASS         configs/longer name.toml  5 runs     1.25 s\n"), std::string::npos)
      << text;
  told.text.finish(told.tally, 3);
  EXPECT_NE(told.people.text().find("FAIL         configs/a.toml (seed 14)\n             x\n"
                                    "             again: vmm run configs/a.toml --seed 14\n"),
            std::string::npos)
      << told.people.text();
}

TEST(SuiteText, AnInterruptedSuiteTellsWhatItHas) {
  SuiteOptions options;
  options.repeat = 5;
  Told told(options);
  told.run(0, outcome(SuiteVerdict::kPass));
  told.run(1, outcome(SuiteVerdict::kInterrupted, "interrupted"));
  told.tally.interrupted = true;
  told.text.finish(told.tally, 1);
  EXPECT_EQ(told.people.text(), "INTERRUPTED  configs/a.toml            2 runs, 1 interrupted     0.50 s\n"
                                "\n"
                                "INTERRUPTED  2 runs in 1.00 s: 1 pass, 1 interrupted, 8 not run\n");
}

TEST(SuiteText, AnEmptyShardSaysSo) {
  SuiteOptions options;
  options.shard = {5, 8};
  Told told(options);
  told.text.finish(told.tally, 0);
  EXPECT_EQ(told.people.text(), "shard 5/8 has none of the 2 runs\n");
}

TEST(SuiteText, WhatFailingRunsSaidIsShownWhenAskedFor) {
  for (const std::uint64_t repeat : {1U, 2U}) {
    SuiteOptions options;
    options.log_level = "debug";
    options.repeat = repeat;
    Told told(options);
    told.run(0, outcome(SuiteVerdict::kPass));
    EXPECT_EQ(told.people.text().find("what it"), std::string::npos);
    told.run(1, outcome(SuiteVerdict::kFail, "x"));
    EXPECT_NE(told.people.text().find("             | what it\\x1b said\n"), std::string::npos) << repeat;
  }
}

TEST(SuiteText, FailuresBeyondFiftyAreCounted) {
  SuiteOptions options;
  options.repeat = 60;
  Told told(options);
  for (std::size_t run = 0; run < 60; ++run)
    told.run(run, outcome(SuiteVerdict::kFail, "x"));
  told.text.finish(told.tally, 0);
  const std::string text = told.people.text();
  EXPECT_NE(text.find("\nand 10 more: the JSON result (--json) has them\n"), std::string::npos);
  EXPECT_NE(text.find("--seed 49\n"), std::string::npos);
  EXPECT_EQ(text.find("--seed 50\n"), std::string::npos);
}

TEST(SuiteText, TheLiveLineIsOnTerminalsAlone) {
  Told told(SuiteOptions{}, Style{.terminal = true, .colour = false, .width = 80});
  told.run(0, outcome(SuiteVerdict::kFail, "x"));
  const std::string drawn = told.live.text();
  EXPECT_NE(drawn.find("0/2 done, running: configs/a.toml"), std::string::npos);
  EXPECT_NE(drawn.find("1/2 done, 1 failed"), std::string::npos);
  told.text.finish(told.tally, 1);
  EXPECT_TRUE(told.live.text().ends_with("\r\033[K")) << "it is still there";
}

TEST(SuiteText, TheLiveLineFits) {
  EXPECT_EQ(suite_live_line(12, 50, 1, {"faults/two-stalls.toml"}, 80),
            "12/50 done, 1 failed, running: faults/two-stalls.toml");
  EXPECT_EQ(suite_live_line(1, 2, 0, {"a.toml", "b.toml"}, 80), "1/2 done, running: a.toml, b.toml");
  EXPECT_EQ(suite_live_line(1, 2, 0, {"a.toml", "b.toml"}, 36), "1/2 done, running: a.toml ...");
  for (int width = 40; width < 120; ++width)
    EXPECT_LE(suite_live_line(1, 99, 0, std::vector<std::string>(9, "some.toml"), width).size(),
              static_cast<std::size_t>(width));
}

TEST(SuiteCommandLine, RepeatsTheVeryRun) {
  SuiteOptions options;
  options.command = "build/bin/vmm";
  options.sets = {"fault.0.cpu=3", "expect.failed={ 3 = \"timeout@online\" }"};
  options.backend = Backend::kSim;
  options.guest = "it's.elf";
  options.log_level = "debug";
  EXPECT_EQ(
      command_of(options, "a b.toml", 7),
      "build/bin/vmm run 'a b.toml' --set fault.0.cpu=3 --set 'expect.failed={ 3 = \"timeout@online\" }' "
      "--seed 7 --backend sim --guest 'it'\\''s.elf'");
  EXPECT_EQ(arguments_of(options, "a b.toml", 7),
            (std::vector<std::string>{"run", "a b.toml", "--set", "fault.0.cpu=3", "--set",
                                      "expect.failed={ 3 = \"timeout@online\" }", "--seed", "7", "--backend",
                                      "sim", "--guest", "it's.elf", "--json", "-", "--log-level", "debug"}));
}

} // namespace
} // namespace reveille::vmm
