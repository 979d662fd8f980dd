// Jobs are scripts of /bin/sh. Where a test waits for time to pass, it is for a job that never
// ends by itself.
#include "vmm/suite/runner.hpp"

#include "folder.hpp"

#include <csignal>
#include <fcntl.h>
#include <map>
#include <sstream>
#include <sys/stat.h>
#include <thread>

namespace reveille::vmm {
namespace {

using namespace std::chrono_literals;
using How = JobEnd::How;

constexpr auto kEver = 3'600'000ms;

RunnerOptions with(unsigned jobs, std::chrono::milliseconds allowance = kEver) {
  return {.program = "/bin/sh",
          .worker = {},
          .jobs = jobs,
          .allowance = allowance,
          .term_grace = 200ms,
          .interrupt_grace = kEver,
          .kill_grace = kEver};
}

struct Result {
  bool interrupted = false;
  std::map<std::size_t, JobEnd> ends;
  std::vector<std::size_t> order; ///< in which they ended
};

/// Runs scripts; `on_end` is called as each ends. Their own bounds are 0 where none are given.
Result run(const RunnerOptions &options, const std::vector<std::string> &scripts,
           const std::function<void(std::size_t)> &on_end = {}, std::vector<double> bounds_ms = {}) {
  bounds_ms.resize(scripts.size());
  Result result;
  std::size_t next = 0;
  result.interrupted = Runner(options).run(
      [&](std::optional<Job> &job) {
        EXPECT_LT(next - result.ends.size(), options.jobs) << "more at a time than asked for";
        if (next == scripts.size())
          return false;
        job = Job{.id = next, .arguments = {"-c", scripts[next]}, .bound_ms = bounds_ms[next]};
        ++next;
        return true;
      },
      [&](std::size_t id, JobEnd end) {
        EXPECT_TRUE(result.ends.emplace(id, std::move(end)).second) << "ended twice";
        result.order.push_back(id);
        if (on_end)
          on_end(id);
      });
  return result;
}

JobEnd run_job(const RunnerOptions &options, const Job &only) {
  JobEnd result;
  bool given = false;
  static_cast<void>(Runner(options).run(
      [&](std::optional<Job> &job) {
        if (!given)
          job = only;
        return !std::exchange(given, true);
      },
      [&](std::size_t, JobEnd end) { result = std::move(end); }));
  return result;
}

JobEnd run_one(const std::string &script, const RunnerOptions &options = with(1)) {
  return run(options, {script}).ends.at(0);
}

/// Whether a process is gone, or dead and waiting for somebody to care; soon, if not now.
bool is_gone(const std::string &pid) {
  for (int i = 0; i < 500; ++i) {
    std::ifstream stat("/proc/" + pid + "/stat");
    std::string number;
    std::string name;
    std::string state;
    if (!(stat >> number >> name >> state) || state == "Z" || state == "X")
      return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

TEST(SuiteRunner, KeepsOutputAndStatus) {
  const JobEnd end = run_one("echo out; echo err >&2; exit 5");
  EXPECT_EQ(end.how, How::kEnded);
  EXPECT_TRUE(end.status.exited);
  EXPECT_EQ(end.status.number, 5);
  EXPECT_EQ(end.out, "out\n");
  EXPECT_EQ(end.err, "err\n");
}

TEST(SuiteRunner, SeesADeathBySignal) {
  const JobEnd end = run_one("kill -SEGV $$");
  EXPECT_EQ(end.how, How::kEnded);
  EXPECT_FALSE(end.status.exited);
  EXPECT_EQ(end.status.number, SIGSEGV);
}

TEST(SuiteRunner, AProgramThatIsNotThereSaysSo) {
  RunnerOptions options = with(1);
  options.program = "/no/such/vmm";
  const JobEnd end = run_one("", options);
  EXPECT_EQ(end.status.number, Child::kCannotExecute);
  EXPECT_EQ(end.err, "cannot execute /no/such/vmm: No such file or directory\n");
}

TEST(SuiteRunner, LargeOutputIsWhole) {
  const JobEnd end =
      run_one("head -c 5000000 /dev/zero | tr '\\0' x; head -c 5000000 /dev/zero >&2; echo end >&2");
  EXPECT_EQ(end.out, std::string(5'000'000, 'x'));
  EXPECT_GE(end.err.size(), Child::kErrorTail);
  EXPECT_LE(end.err.size(), 3 * Child::kErrorTail);
  EXPECT_TRUE(end.err.ends_with("end\n"));
}

TEST(SuiteRunner, StandardInputIsEmpty) { EXPECT_EQ(run_one("cat; echo done").out, "done\n"); }

TEST(SuiteRunner, PassesNoDescriptorOn) {
  const int fd = ::fcntl(STDERR_FILENO, F_DUPFD, 100); // as a shell or a script may have left it open
  ASSERT_GE(fd, 100);
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  EXPECT_EQ(run_one("test -e " + link + " && echo open || echo closed").out, "closed\n");
  EXPECT_TRUE(std::filesystem::exists(link));
  ::close(fd);
}

TEST(SuiteRunner, JobsGetTheirSignals) {
  RunnerOptions options = with(1);
  options.program = "/bin/sed"; // a shell would put them right by itself
  auto *const before = ::signal(SIGPIPE, SIG_IGN);
  const JobEnd end = run_job(
      options,
      {.id = 0, .arguments = {"-n", "s/^Sig\\(Blk\\|Ign\\):\t/0x/p", "/proc/self/status"}, .bound_ms = 0});
  ::signal(SIGPIPE, before);
  std::istringstream masks(end.out);
  std::uint64_t blocked = ~0ULL;
  std::uint64_t ignored = ~0ULL;
  masks >> std::hex >> blocked >> ignored;
  EXPECT_EQ(blocked, 0U) << end.out;
  for (const int number : {SIGINT, SIGTERM, SIGPIPE})
    EXPECT_EQ(ignored >> (number - 1) & 1, 0U) << end.out;
}

/// A job that hangs, ended when it has said in a file that it is ready for it. On a busy host it
/// may not get there in time, and then has more of it.
JobEnd run_hanging(const std::string &trap) {
  JobEnd end;
  for (auto time = 100ms; time < kEver; time *= 4) {
    const Folder folder;
    end = run_one(trap + "; : > " + (folder / "ready") + "; while :; do sleep 0.05; done", with(1, time));
    EXPECT_EQ(end.how, How::kHung);
    if (std::filesystem::exists(folder / "ready"))
      break;
  }
  return end;
}

TEST(SuiteRunner, AHangingJobIsToldToEnd) {
  const JobEnd end = run_hanging("trap 'echo told; exit 7' TERM");
  EXPECT_TRUE(end.why.starts_with("hung: it was to end within ")) << end.why;
  EXPECT_TRUE(end.why.ends_with(" s; ended by SIGTERM") || end.status.number == SIGKILL) << end.why;
  EXPECT_EQ(end.out, "told\n");
}

TEST(SuiteRunner, AHangingJobThatDoesNotListenIsKilled) {
  const JobEnd end = run_hanging("trap '' TERM");
  EXPECT_TRUE(end.why.ends_with(" s; took a SIGKILL to end")) << end.why;
  EXPECT_EQ(end.status.number, SIGKILL);
}

TEST(SuiteRunner, TheOthersGoOn) {
  RunnerOptions options = with(1, 0ms);
  const Result result = run(options, {"echo a", "sleep 1000", "echo c"}, {}, {1e9, 50, 1e9});
  EXPECT_EQ(result.order, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(result.ends.at(0).how, How::kEnded);
  EXPECT_EQ(result.ends.at(1).how, How::kHung);
  EXPECT_EQ(result.ends.at(2).how, How::kEnded);
  EXPECT_EQ(result.ends.at(2).out, "c\n");
  EXPECT_FALSE(result.interrupted);
}

TEST(SuiteRunner, ABoundIsTheJobsOwnAndTheAllowance) {
  const JobEnd end = run_job(with(1, 150ms),
                             {.id = 0, .arguments = {"-c", "while :; do sleep 0.05; done"}, .bound_ms = 150});
  EXPECT_TRUE(end.why.starts_with("hung: it was to end within 0.3 s;")) << end.why;
  EXPECT_GE(end.seconds, 0.3);
}

TEST(SuiteRunner, NothingThatAJobLeavesBehindStays) {
  // What is left behind holds the pipe open: its end is not what is waited for.
  const JobEnd end = run_one("sleep 1000 & echo $!");
  EXPECT_EQ(end.how, How::kEnded);
  EXPECT_TRUE(is_gone(end.out.substr(0, end.out.find('\n')))) << end.out;
}

TEST(SuiteRunner, JobsRunSideBySide) {
  const Folder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  // Neither gets anywhere without the other.
  const std::vector<std::string> both{"echo met > " + (folder / "fifo"), "cat " + (folder / "fifo")};
  const Result together = run(with(2), both);
  EXPECT_EQ(together.ends.at(1).out, "met\n");
  EXPECT_EQ(together.ends.at(0).how, How::kEnded);
  const Result alone = run(with(1, 200ms), both);
  EXPECT_EQ(alone.ends.at(0).how, How::kHung);
}

TEST(SuiteRunner, NeverMoreAtATimeThanAskedFor) {
  const Result result = run(with(3), std::vector<std::string>(20, "exit 0")); // run() looks
  EXPECT_EQ(result.ends.size(), 20U);
}

/// One that is ready when it has written to the fifo, and one that then interrupts us.
std::vector<std::string> interrupted_jobs(const Folder &folder, const std::string &trap,
                                          const std::string &interrupt) {
  const std::string fifo = folder / "fifo";
  EXPECT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  return {trap + "; echo > " + fifo + "; while :; do sleep 0.05; done",
          "trap '' INT; cat " + fifo + " > /dev/null; " + interrupt, "echo never"};
}

TEST(SuiteRunner, AnInterruptIsPassedOnOnce) {
  const Folder folder;
  const Result result =
      run(with(2), interrupted_jobs(folder, "trap 'echo told; exit 130' INT", "kill -INT $PPID"));
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.ends.size(), 2U) << "the third one was started";
  EXPECT_EQ(result.ends.at(0).how, How::kInterrupted);
  EXPECT_EQ(result.ends.at(0).out, "told\n");
  EXPECT_EQ(result.ends.at(0).status.number, 130);
}

TEST(SuiteRunner, SigtermIsAnInterruptToo) {
  const Folder folder;
  const Result result = run(with(2), interrupted_jobs(folder, "trap 'exit 130' INT", "kill -TERM $PPID"));
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.ends.at(0).status.number, 130);
}

TEST(SuiteRunner, AnInterruptedJobThatDoesNotEndIsKilled) {
  const Folder folder;
  RunnerOptions options = with(2);
  options.interrupt_grace = 200ms;
  const Result result = run(options, interrupted_jobs(folder, "trap '' INT", "kill -INT $PPID"));
  EXPECT_EQ(result.ends.at(0).how, How::kInterrupted);
  EXPECT_FALSE(result.ends.at(0).status.exited);
  EXPECT_EQ(result.ends.at(0).status.number, SIGKILL);
}

TEST(SuiteRunner, ASecondInterruptKillsAtOnce) {
  const Folder folder;
  const Result result =
      run(with(2), interrupted_jobs(folder, "trap '' INT", "while :; do kill -INT $PPID; sleep 0.1; done"));
  EXPECT_TRUE(result.interrupted);
  for (const std::size_t job : {0U, 1U})
    EXPECT_EQ(result.ends.at(job).status.number, SIGKILL) << job;
}

TEST(SuiteRunner, SignalsAreTheProcessesOwnAgain) {
  sigset_t before;
  sigset_t after;
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, nullptr, &before), 0);
  run_one("exit 0");
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, nullptr, &after), 0);
  EXPECT_EQ(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
  EXPECT_EQ(sigismember(&after, SIGTERM), 0);
}

TEST(SuiteRunner, NobodyIsFailedForWaitingForUs) {
  // While we are busy with the first, for longer than it has, the second has more to write than
  // its pipe takes. On a busy host it may really need longer.
  JobEnd second;
  for (auto time = 1'000ms; time <= 16s && second.out.size() != 1'000'000; time *= 2)
    second = std::move(
        run(with(2, time), {"exit 0", "head -c 1000000 /dev/zero; echo > /dev/null"}, [time](std::size_t id) {
          std::this_thread::sleep_for(id == 0 ? time + 1s : 0s);
        }).ends.at(1));
  EXPECT_EQ(second.how, How::kEnded) << second.why;
  EXPECT_EQ(second.out.size(), 1'000'000U);
}

} // namespace
} // namespace reveille::vmm
