#include "vmm/suite/runner.hpp"

#include "vmm/base/descriptor_limit.hpp"
#include "vmm/suite/signal_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <poll.h>

namespace reveille::vmm {
namespace {

using namespace std::chrono_literals;

constexpr auto kLongestWait = 3'600s; // poll() counts milliseconds in an int
constexpr int kFdsOfJob = 4;          // its end, its two outputs, its answer
constexpr unsigned kOtherFds = 64;    // signals, spools, what is open for a moment while a job is started
constexpr auto kNoticeable = 1s;      // a delay of our own that jobs are not to pay for

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

pollfd input_of(int fd) { return {.fd = fd, .events = POLLIN, .revents = 0}; } // -1: poll() skips it

} // namespace

Result<void> Runner::make_room(unsigned jobs) {
  const std::uint64_t wanted = std::uint64_t{jobs} * kFdsOfJob + kOtherFds;
  if (const std::uint64_t most = allow_descriptors(wanted); most < wanted)
    return fail(ExitStatus::kUnsupported,
                fmt::format("-j {} takes {} file descriptors and this process may have {}; raise the hard "
                            "limit (ulimit -Hn {}), or run fewer at a time",
                            jobs, wanted, most, wanted));
  return {};
}

bool Runner::run(const Next &next, const Ended &ended) {
  SignalWatch signals;
  looked_ = Clock::now();
  bool more = true;
  for (;;) {
    while (more && interrupts_ == 0 && running_.size() < options_.jobs) {
      std::optional<Job> job;
      more = next(job);
      if (job)
        start(*job, ended);
      interrupts_ += signals.take() ? 1 : 0;
      if (interrupts_ != 0)
        pass_on_interrupt();
    }
    if (running_.empty()) {
      for (const Child &worker : idle_) // all at once: each takes a while to end
        worker.tell(SIGKILL);
      idle_.clear();
      left_.clear();
      return interrupts_ != 0;
    }
    wait(signals);
    if (signals.take()) {
      ++interrupts_;
      pass_on_interrupt();
    }
    collect(ended);
    keep_bounds(ended);
  }
}

/// A process that has the job: a worker that waits, or a new one.
Result<Child> Runner::give(const Job &job) {
  if (options_.worker.empty())
    return Child::start(options_.program, job.arguments);
  while (!idle_.empty()) {
    Child worker = std::move(idle_.front());
    idle_.pop_front();
    if (worker.give(job.arguments))
      return worker;
  }
  auto worker = Child::start(options_.program, options_.worker, Child::Input::kOrders);
  if (worker && !worker->give(job.arguments))
    return fail(ExitStatus::kBroken, "cannot tell a worker of a run: its options are too long");
  return worker;
}

void Runner::start(const Job &job, const Ended &ended) {
  auto child = give(job);
  if (!child) {
    ended(job.id, {.how = JobEnd::How::kNotStarted,
                   .status = {},
                   .why = child.error().message,
                   .failure = child.error().status,
                   .out = {},
                   .err = {}});
    return;
  }
  const auto bound = std::chrono::duration<double, std::milli>(job.bound_ms);
  const auto time = std::chrono::duration_cast<Clock::duration>(bound + options_.allowance);
  const auto now = Clock::now();
  running_.push_back(
      {.id = job.id, .child = std::move(*child), .began = now, .deadline = now + time, .time = time});
}

/// Until something has happened or a deadline has come; takes what the jobs have written.
void Runner::wait(const SignalWatch &signals) {
  std::vector<pollfd> fds{input_of(signals.fd())};
  auto until = Clock::time_point::max();
  for (const Running &job : running_) {
    for (const int fd : {job.child.end_fd(), job.child.out_fd(), job.child.err_fd(), job.child.answer_fd()})
      fds.push_back(input_of(fd));
    until = std::min(until, job.deadline);
  }
  const auto before = Clock::now();
  const auto time = std::clamp<Clock::duration>(until - before, 0s, kLongestWait);
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(time);
  ::poll(fds.data(), fds.size(), static_cast<int>(ms.count()));
  const auto after = Clock::now();
  auto fd = fds.cbegin() + 1;
  for (Running &job : running_) {
    if (fd[1].revents != 0)
      job.child.read_out();
    if (fd[2].revents != 0)
      job.child.read_err();
    fd += kFdsOfJob;
  }
  // A job may have stood still because nobody read its output: whoever reads ours let us
  // wait, or somebody stopped us.
  const auto held = (before - looked_) + std::max<Clock::duration>(after - before - ms, 0s);
  if (held > kNoticeable)
    for (Running &job : running_)
      job.deadline += held;
  looked_ = after;
}

void Runner::pass_on_interrupt() {
  const auto now = Clock::now();
  for (Running &job : running_) {
    const bool first = job.phase == Phase::kRunning;
    if (!first && interrupts_ == 1)
      continue; // it is being ended already
    job.child.tell(first && interrupts_ == 1 ? SIGINT : SIGKILL);
    job.deadline = now + (interrupts_ == 1 ? options_.interrupt_grace : options_.kill_grace);
    job.phase = interrupts_ == 1 ? Phase::kTold : Phase::kKilled;
    if (job.how != JobEnd::How::kHung)
      job.how = JobEnd::How::kInterrupted;
  }
}

void Runner::collect(const Ended &ended) {
  for (auto job = running_.begin(); job != running_.end();) {
    const auto current = job++;
    if (const auto answer = current->child.answer())
      end(current, {.exited = true, .number = *answer}, "ended by SIGTERM", ended);
    else if (const auto status = current->child.collect())
      end(current, *status, current->phase == Phase::kKilled ? "took a SIGKILL to end" : "ended by SIGTERM",
          ended);
  }
  left_.remove_if([](Child &worker) { return worker.collect().has_value(); });
}

/// By the time at which wait() came back: what has been done since is not the jobs' time.
void Runner::keep_bounds(const Ended &ended) {
  const auto now = looked_;
  for (auto job = running_.begin(); job != running_.end();) {
    const auto current = job++;
    if (now < current->deadline)
      continue;
    switch (current->phase) {
    case Phase::kRunning:
      current->how = JobEnd::How::kHung;
      current->child.tell(SIGTERM);
      current->deadline = now + options_.term_grace;
      current->phase = Phase::kTold;
      break;
    case Phase::kTold:
      current->child.tell(SIGKILL);
      current->deadline = now + options_.kill_grace;
      current->phase = Phase::kKilled;
      break;
    case Phase::kKilled: {
      const std::string left = fmt::format("process {} does not even end by SIGKILL", current->child.pid());
      current->how = JobEnd::How::kHung;
      current->child.abandon();
      end(current, {}, left, ended);
      break;
    }
    }
  }
}

void Runner::end(std::list<Running>::iterator job, ChildStatus status, std::string_view how_it_went,
                 const Ended &ended) {
  JobEnd result{.how = job->how,
                .status = status,
                .why = {},
                .out = job->child.take_out(),
                .out_cut = job->child.out_cut(),
                .err = job->child.take_err(),
                .seconds = seconds(Clock::now() - job->began)};
  if (job->how == JobEnd::How::kHung)
    result.why = fmt::format("hung: it was to end within {:.1f} s; {}", seconds(job->time), how_it_went);
  const std::size_t id = job->id;
  let_go(*job, status);
  running_.erase(job);
  ended(id, std::move(result));
}

/// What becomes of the process whose job is over.
void Runner::let_go(Running &job, const ChildStatus &status) {
  if (!job.child.is_alive() || options_.worker.empty())
    return;
  if (job.phase == Phase::kRunning && status.number != static_cast<int>(ExitStatus::kBroken)) {
    idle_.push_back(std::move(job.child));
    return;
  }
  job.child.tell(SIGKILL);
  left_.push_back(std::move(job.child));
}

} // namespace reveille::vmm
