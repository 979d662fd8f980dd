// Runs jobs as child processes, or in workers, a number of them at a time, each within its bound.
#pragma once

#include "vmm/suite/child.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace reveille::vmm {

class SignalWatch;

struct RunnerOptions {
  std::string program = "/proc/self/exe"; ///< what each job runs
  /// The arguments that make a worker of `program`: a process that takes jobs as orders (orders.hpp), one
  /// after the other. Empty: each job has a process of its own, and is its arguments.
  std::vector<std::string> worker;
  unsigned jobs = 1; ///< at a time, at least 1
  /// What a job has beyond its own bound: to create the machine, and to report.
  std::chrono::milliseconds allowance{30'000};
  /// From the SIGTERM of a job whose time is up to its SIGKILL.
  std::chrono::milliseconds term_grace{5'000};
  /// From the SIGINT that a job is sent when the suite is interrupted to its SIGKILL.
  std::chrono::milliseconds interrupt_grace{10'000};
  /// From a SIGKILL to giving the process up: one that is stuck in the kernel.
  std::chrono::milliseconds kill_grace{10'000};
};

struct Job {
  std::size_t id = 0;
  std::vector<std::string> arguments; ///< without the program's name
  double bound_ms = 0;
};

/// What became of a job.
struct JobEnd {
  enum class How {
    kEnded,       ///< by itself, or by a signal that was not ours
    kInterrupted, ///< after it was told to end, because the suite was
    kHung,        ///< its time was up, and it was ended
    kNotStarted,
  };
  How how = How::kEnded;
  ChildStatus status;
  std::string why; ///< of kHung and kNotStarted, a sentence; of others empty
  /// Of kNotStarted: kUnsupported where this host, or a limit of the process, has no more of something.
  ExitStatus failure = ExitStatus::kBroken;
  std::string out;
  bool out_cut = false; ///< there was more than is kept
  std::string err;      ///< its end
  double seconds = 0;
};

/// Starts jobs and sees them through, in one thread, which is the caller's. A worker has one job at a time.
/// One that dies takes its job with it and no other; one whose job was told to end, or did not end well, gets
/// no further one.
class Runner {
public:
  /// Gives the next job; false when there is no more. It may give none for once.
  using Next = std::function<bool(std::optional<Job> &job)>;
  using Ended = std::function<void(std::size_t id, JobEnd)>; ///< called once for each job

  /// Makes sure that the process may have the descriptors of so many jobs at a time. Fails with kUnsupported.
  [[nodiscard]] static vmm::Result<void> make_room(unsigned jobs);

  explicit Runner(RunnerOptions options) : options_(std::move(options)) {}

  /// Runs what `next` gives until there is no more. After SIGINT or SIGTERM nothing new is
  /// started and the jobs are told once; after a second one they are killed. Returns whether
  /// that was so. No job outlives the call, but for those that not even SIGKILL ends.
  [[nodiscard]] bool run(const Next &next, const Ended &ended);

private:
  using Clock = std::chrono::steady_clock;
  enum class Phase { kRunning, kTold, kKilled };
  struct Running {
    std::size_t id;
    Child child;
    Clock::time_point began;
    Clock::time_point deadline; ///< of the phase
    Clock::duration time;       ///< what it had
    Phase phase = Phase::kRunning;
    JobEnd::How how = JobEnd::How::kEnded;
  };

  void start(const Job &job, const Ended &ended);
  [[nodiscard]] vmm::Result<Child> give(const Job &job);
  void wait(const SignalWatch &signals);
  void pass_on_interrupt();
  void collect(const Ended &ended);
  void keep_bounds(const Ended &ended);
  void end(std::list<Running>::iterator job, ChildStatus status, std::string_view how_it_went,
           const Ended &ended);
  void let_go(Running &job, const ChildStatus &status);

  RunnerOptions options_;
  std::list<Running> running_;
  std::list<Child> idle_;      ///< workers that wait for a job
  std::list<Child> left_;      ///< workers that get no more and have not ended yet
  Clock::time_point looked_{}; ///< when wait() last came back
  int interrupts_ = 0;
};

} // namespace reveille::vmm
