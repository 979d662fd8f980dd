// Jobs in workers: one process has many of them, and none of them notices.
#include "vmm/suite/runner.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <map>
#include <set>
#include <sys/wait.h>

namespace reveille::vmm {
namespace {

using namespace std::chrono_literals;
using How = JobEnd::How;

constexpr auto kEver = 3'600'000ms;
constexpr int kBroken = static_cast<int>(ExitStatus::kBroken);

std::map<std::size_t, JobEnd> run(const std::vector<std::string> &scripts, unsigned jobs = 1,
                                  std::chrono::milliseconds allowance = kEver,
                                  const std::function<void(const JobEnd &)> &on_end = {}) {
  RunnerOptions options{.program = REVEILLE_TEST_WORKER,
                        .worker = {"worker"},
                        .jobs = jobs,
                        .allowance = allowance,
                        .term_grace = 200ms,
                        .interrupt_grace = kEver,
                        .kill_grace = kEver};
  std::map<std::size_t, JobEnd> ends;
  std::size_t next = 0;
  EXPECT_FALSE(Runner(options).run(
      [&](std::optional<Job> &job) {
        if (next == scripts.size())
          return false;
        job = Job{.id = next, .arguments = {scripts[next]}, .bound_ms = 0};
        ++next;
        return true;
      },
      [&](std::size_t id, JobEnd end) {
        const auto [at, is_new] = ends.emplace(id, std::move(end));
        EXPECT_TRUE(is_new) << "ended twice";
        if (on_end)
          on_end(at->second);
      }));
  EXPECT_EQ(ends.size(), scripts.size());
  return ends;
}

TEST(SuiteWorker, EachJobHasItsOwnOutputAndStatus) {
  const auto ends = run({"echo a; echo b >&2; exit 5", "echo c", "echo d >&2; exit 1"});
  EXPECT_EQ(ends.at(0).how, How::kEnded);
  EXPECT_TRUE(ends.at(0).status.exited);
  EXPECT_EQ(ends.at(0).status.number, 5);
  EXPECT_EQ(ends.at(0).out + ends.at(0).err, "a\nb\n");
  EXPECT_EQ(ends.at(1).status.number, 0);
  EXPECT_EQ(ends.at(1).out + ends.at(1).err, "c\n");
  EXPECT_EQ(ends.at(2).status.number, 1);
  EXPECT_EQ(ends.at(2).out + ends.at(2).err, "d\n");
}

TEST(SuiteWorker, OneProcessHasMany) {
  const auto ends = run(std::vector<std::string>(6, "echo $WORKER"));
  for (const auto &[id, end] : ends)
    EXPECT_EQ(end.out, ends.at(0).out) << id;
}

TEST(SuiteWorker, ThereAreAsManyAsJobsAtATime) {
  std::set<std::string> processes;
  for (const auto &[id, end] : run(std::vector<std::string>(20, "echo $WORKER; sleep 0.02"), 3))
    processes.insert(end.out);
  EXPECT_EQ(processes.size(), 3U);
}

TEST(SuiteWorker, LargeOutputIsWhole) {
  for (const auto &[id, end] : run(std::vector<std::string>(3, "head -c 3000000 /dev/zero | tr '\\0' x")))
    EXPECT_EQ(end.out, std::string(3'000'000, 'x')) << id;
}

TEST(SuiteWorker, OneThatDiesTakesNoOtherJobWithIt) {
  const auto ends = run({"echo $WORKER", "die", "echo $WORKER"});
  EXPECT_FALSE(ends.at(1).status.exited);
  EXPECT_EQ(ends.at(1).status.number, SIGKILL);
  EXPECT_EQ(ends.at(1).out, "") << "what the job before it wrote";
  EXPECT_TRUE(ends.at(2).status.exited);
  EXPECT_NE(ends.at(2).out, ends.at(0).out);
}

TEST(SuiteWorker, OneThatEndsByItselfIsReplaced) {
  const auto ends = run({"echo $WORKER", "end", "echo $WORKER"});
  EXPECT_EQ(ends.at(1).status.number, 9) << "it ended before it answered: its own status counts";
  EXPECT_NE(ends.at(2).out, ends.at(0).out);
}

TEST(SuiteWorker, OneThatDiedWhileItWaitedIsReplaced) {
  const auto ends = run({"echo $WORKER", "echo $WORKER"}, 1, kEver, [](const JobEnd &end) {
    ASSERT_EQ(::kill(std::stoi(end.out), SIGKILL), 0);
    siginfo_t info;
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(std::stoi(end.out)), &info, WEXITED | WNOWAIT), 0);
  });
  EXPECT_TRUE(ends.at(1).status.exited);
  EXPECT_NE(ends.at(1).out, ends.at(0).out);
}

TEST(SuiteWorker, ABrokenJobIsTheLastOfItsWorker) {
  const auto ends = run({"echo $WORKER; exit " + std::to_string(kBroken), "echo $WORKER"});
  EXPECT_EQ(ends.at(0).status.number, kBroken);
  EXPECT_NE(ends.at(1).out, ends.at(0).out);
}

TEST(SuiteWorker, AHangingJobIsEndedWithItsWorker) {
  const auto ends = run({"echo $WORKER", "while :; do sleep 0.05; done", "echo $WORKER"}, 1, 400ms);
  EXPECT_EQ(ends.at(1).how, How::kHung);
  EXPECT_TRUE(ends.at(1).why.starts_with("hung: it was to end within 0.4 s;")) << ends.at(1).why;
  EXPECT_EQ(ends.at(2).how, How::kEnded);
  EXPECT_NE(ends.at(2).out, ends.at(0).out);
}

TEST(SuiteWorker, OptionsThatAreTooLongAreSaid) {
  const auto ends = run({"echo a", ": " + std::string(2'000'000, 'x'), "echo c"});
  EXPECT_EQ(ends.at(1).how, How::kNotStarted);
  EXPECT_FALSE(ends.at(1).why.empty());
  EXPECT_EQ(ends.at(2).out, "c\n");
}

} // namespace
} // namespace reveille::vmm
