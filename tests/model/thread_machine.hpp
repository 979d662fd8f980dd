// A machine of threads: the core, hosted, with a thread for CPU 0 and one or several for each
// AP. Wakes and kicks are relaxed atomics and waits spin, so that the only order between
// threads is the one that the core's own memory orders make: what they miss, TSan reports.
#pragma once

#include "core/ap.hpp"
#include "core/driver.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace reveille::model {

using abi::EventKind;
using abi::Place;
using core::Section;
using core::StepTarget;
using core::Word;

struct Record {
  std::uint64_t number; ///< in the order in which they were made
  unsigned writer;      ///< the CPU that wrote it
  EventKind kind;
  unsigned cpu;
  std::uint32_t attempt;
  std::uint64_t a;
  std::uint64_t b;
};

/// What a test does to the machine, and what its steps do.
struct Plan {
  unsigned cpus = 2;
  bool kicks_all = false; ///< the first kick is a broadcast
  core::Settings settings;
  /// Called by an AP at a place.
  std::function<void(unsigned cpu, std::uint32_t attempt, Place)> at = [](unsigned, std::uint32_t, Place) {};
  /// Called by the control CPU `self` when it is about to kick `cpu`, and after that.
  std::function<void(unsigned self, unsigned cpu)> before_kick = [](unsigned, unsigned) {};
  std::function<void(unsigned self, unsigned cpu)> after_kick = [](unsigned, unsigned) {};
  /// Whether a kick gets through.
  std::function<bool(unsigned cpu, std::uint32_t attempt)> delivers = [](unsigned, std::uint32_t) {
    return true;
  };
  /// Called by a CPU that a kick has started, before its claim; with the thread that it is on.
  std::function<void(unsigned cpu, unsigned start)> lands = [](unsigned, unsigned) {};
  std::function<int(Section, unsigned step, unsigned cpu, std::uint32_t attempt)> start =
      [](Section, unsigned, unsigned, std::uint32_t) { return 0; };
  /// Called when a teardown begins, by the CPU that runs it.
  std::function<void(unsigned self, Section, unsigned step, std::uint32_t attempt)> undo =
      [](unsigned, Section, unsigned, std::uint32_t) {};
  bool remote_teardown = true;
  std::set<Section> exclusive = {}; ///< sections with a step that is not concurrent
  unsigned threads_per_core = 1;    ///< neighbours; the first of each core is its primary
  /// The control CPUs' time stands still, and moves only by ThreadMachine::time_is_up(): so
  /// nobody is given up because the machine that runs the test is slow.
  bool time_stands_still = false;
  /// Called by a CPU whose claim has failed.
  std::function<void(unsigned cpu, unsigned start)> refused = [](unsigned, unsigned) {};
  unsigned starts = 1; ///< threads of one CPU, which its kicks start in turn; at most kStarts
};

inline constexpr unsigned kMaxModelCpus = 72; // more than one word of arrivals
inline constexpr unsigned kStarts = 2;        // threads of one CPU
inline constexpr unsigned kSteps = 2;         // in each section
inline constexpr unsigned kAreas = 4096;      // attempts of all CPUs that a test may make

/// What the threads share.
struct State {
  struct TscLine {
    std::atomic<std::uint64_t> mark = 0;
    std::atomic<std::uint64_t> tsc = 0;
  };

  /// What belongs to one attempt: plain memory, so that a race on it is seen.
  struct Area {
    std::uint32_t attempt = 0;
    unsigned uses = 0;
    core::Failure failure;
    bool freed = false;
  };

  struct alignas(64) Cpu {
    std::atomic<std::uint64_t> word = 0;
    std::atomic<std::uint64_t> lease = 0;
    TscLine tsc_ap, tsc_cp;
    std::uint32_t token_of_page[abi::kPages] = {};
    std::atomic<unsigned> control = 0; ///< the CPU that brings it up
    std::atomic<std::uint32_t> wakes = 0;
    std::atomic<std::uint32_t> kicks = 0;
    std::atomic<std::uint32_t> page_of_kick[kStarts] = {}; ///< by thread, plus 1; 0: none
  };

  explicit State(Plan p)
      : plan(std::move(p)), cpus(plan.cpus), records(1 + std::size_t{plan.cpus} * plan.starts) {
    plan.settings.cpus = plan.cpus;
  }

  Plan plan;
  std::vector<Cpu> cpus;
  core::Arrivals<std::atomic<std::uint64_t>, kMaxModelCpus> arrivals;
  std::vector<Area> areas = std::vector<Area>(kAreas);
  std::atomic<std::uint32_t> next_area = 0;
  std::atomic<int> areas_held = 0; ///< attempts that hold an area
  bool frozen = false;             ///< no step may be registered; CPU 0's
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> time = 1;   ///< the control CPUs', when it stands still
  std::atomic<bool> time_is_up = false;  ///< what ends first is over as soon as CPU 0 waits for it
  std::atomic<unsigned> time_passed = 0; ///< how often it was, and CPU 0 has done what there was to do
  std::atomic<std::uint64_t> records_made = 0;
  std::vector<std::vector<Record>> records; ///< by thread, because a lock would order the threads
};

/// What both sides share.
class Env {
public:
  /// `thread` is 0 for CPU 0, else that of the AP's on which it runs.
  Env(State &state, unsigned self, std::size_t thread) : s_(state), self_(self), thread_(thread) {}

  std::atomic<std::uint64_t> &word(unsigned cpu) { return s_.cpus[cpu].word; }
  auto &tsc_ap(unsigned cpu) { return s_.cpus[cpu].tsc_ap; }
  auto &tsc_cp(unsigned cpu) { return s_.cpus[cpu].tsc_cp; }
  std::atomic<std::uint64_t> &lease(unsigned cpu) { return s_.cpus[cpu].lease; }
  auto &arrivals() { return s_.arrivals; }
  [[nodiscard]] unsigned cpu() const { return self_; }
  std::uint64_t now() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  void log(EventKind kind, unsigned cpu, std::uint32_t attempt, std::uint64_t a, std::uint64_t b) {
    s_.records[thread_].push_back(
        {s_.records_made.fetch_add(1, std::memory_order_relaxed), self_, kind, cpu, attempt, a, b});
  }
  unsigned step_count(Section) { return kSteps; }
  core::StepInfo step_info(Section section, unsigned) {
    return {"step", !s_.plan.exclusive.contains(section),
            section == Section::kPrepare || s_.plan.remote_teardown};
  }
  int start_step(Section section, unsigned i, StepTarget &target) {
    if (section == Section::kPrepare && i == 0) {
      target.token = s_.next_area.fetch_add(1, std::memory_order_relaxed);
      s_.areas.at(target.token) = {target.attempt, 0, {}, false};
      s_.areas_held.fetch_add(1, std::memory_order_relaxed);
    }
    if (section != Section::kPrepare)
      ++s_.areas[target.token].uses;
    return s_.plan.start(section, i, target.cpu, target.attempt);
  }
  void undo_step(Section section, unsigned i, StepTarget &target) {
    s_.plan.undo(self_, section, i, target.attempt);
    State::Area &area = s_.areas[target.token];
    if (section != Section::kPrepare)
      ++area.uses;
    else if (i == 0) {
      area.freed = true;
      s_.areas_held.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  // Every wait looks by itself; a control CPU's comes back besides.
  void wake(unsigned cpu) { s_.cpus[cpu].wakes.fetch_add(1, std::memory_order_relaxed); }
  void relax() { std::this_thread::yield(); }

protected:
  // NOLINTBEGIN(cppcoreguidelines-non-private-member-variables-in-classes)
  State &s_;
  unsigned self_;
  std::size_t thread_;
  // NOLINTEND(cppcoreguidelines-non-private-member-variables-in-classes)
};

class ApEnv : public Env {
public:
  ApEnv(State &state, unsigned cpu, std::size_t thread, Word claimed)
      : Env(state, cpu, thread), attempt_(claimed.attempt),
        token_(state.cpus[cpu].token_of_page[claimed.attempt % abi::kPages]) {}

  // On the machines that this runs on the swap before it is a full barrier. Relaxed, as all of
  // the environment is, so that nothing is ordered by it that core should have ordered.
  unsigned control_cpu() { return s_.cpus[self_].control.load(std::memory_order_relaxed); }
  std::uint32_t token() { return token_; }
  void at(Place place) {
    ++s_.areas[token_].uses; // plain memory: it must still be this attempt's
    s_.plan.at(self_, attempt_, place);
  }
  template <class Until> void wait(Until &&until) {
    while (!until() && !s_.over.load(std::memory_order_relaxed))
      relax();
  }
  template <class Until> bool wait_for(Until &&until, std::uint64_t ticks) {
    const std::uint64_t began = now();
    while (!until()) {
      if (now() - began > ticks || s_.over.load(std::memory_order_relaxed))
        return false;
      relax();
    }
    return true;
  }
  template <class Until> void idle(Until &&until) { wait(until); }
  void put_failure(unsigned step, int error) { s_.areas[token_].failure = {step, error}; }
  void enter_idle() {}
  void leave_idle() {}

private:
  std::uint32_t attempt_;
  std::uint32_t token_;
};

/// Of CPU 0, or of another control CPU.
class CpEnv : public Env {
public:
  using Env::Env;
  std::uint64_t now() {
    return s_.plan.time_stands_still ? s_.time.load(std::memory_order_relaxed) : Env::now();
  }

  void at_kick(unsigned cpu) { s_.plan.before_kick(self_, cpu); }
  void publish_attempt(StepTarget target, std::uint32_t, std::uint32_t) {
    s_.cpus[target.cpu].token_of_page[target.attempt % abi::kPages] = target.token;
  }
  void publish_control(unsigned cpu) { s_.cpus[cpu].control.exchange(self_, std::memory_order_relaxed); }
  void freeze_steps(bool frozen) { s_.frozen = frozen; }
  unsigned primary_of(unsigned cpu) { return cpu - cpu % s_.plan.threads_per_core; }
  void kick(unsigned cpu, std::uint32_t attempt) {
    if (s_.plan.delivers(cpu, attempt)) {
      State::Cpu &c = s_.cpus[cpu];
      const std::uint32_t kick = c.kicks.fetch_add(1, std::memory_order_relaxed);
      c.page_of_kick[kick % s_.plan.starts].store(attempt % abi::kPages + 1, std::memory_order_relaxed);
    }
    s_.plan.after_kick(self_, cpu);
  }
  [[nodiscard]] bool can_kick_all() const { return s_.plan.kicks_all; }
  void kick_all(std::uint32_t attempt) {
    for (unsigned cpu = 1; cpu < s_.plan.settings.cpus; ++cpu)
      kick(cpu, attempt);
  }
  void stop(unsigned, std::uint32_t) {}
  template <class Until> void wait_until(Until &&until, std::uint64_t deadline) {
    saw_time_pass();
    while (!until() && now() < deadline && !is_woken()) {
      if (self_ == 0 && s_.time_is_up.exchange(false, std::memory_order_relaxed)) {
        s_.time.store(deadline, std::memory_order_relaxed);
        time_has_passed_ = true;
      }
      relax();
    }
  }
  void saw_time_pass() {
    if (std::exchange(time_has_passed_, false))
      s_.time_passed.fetch_add(1, std::memory_order_relaxed);
  }
  core::Failure failure(StepTarget target) { return s_.areas[target.token].failure; }

private:
  bool is_woken() {
    const std::uint32_t wakes = s_.cpus[self_].wakes.load(std::memory_order_relaxed);
    return std::exchange(wakes_seen_, wakes) != wakes;
  }
  std::uint32_t wakes_seen_ = 0;
  bool time_has_passed_ = false;
};

static_assert(core::ApEnvironment<ApEnv> && core::CpEnvironment<CpEnv>);

/// The machine: the calling thread is CPU 0.
class ThreadMachine {
public:
  explicit ThreadMachine(Plan plan)
      : state_(std::move(plan)), cp_(state_, 0, 0), seats_(state_.plan.cpus),
        driver_(cp_, state_.plan.settings, seats_) {
    for (unsigned cpu = 1; cpu < state_.plan.cpus; ++cpu)
      for (unsigned start = 0; start < state_.plan.starts; ++start)
        threads_.emplace_back([this, cpu, start] { ap_thread(cpu, start); });
  }
  ThreadMachine(const ThreadMachine &) = delete;
  ThreadMachine &operator=(const ThreadMachine &) = delete;
  ~ThreadMachine() { shut_down(); }

  /// Runs the control side until every AP is decided.
  void bring_up() {
    driver_.bring_up();
    cp_.saw_time_pass();
  }
  void take_down() {
    driver_.take_down();
    cp_.saw_time_pass();
  }

  /// Serves those who come late until done() holds. False if it does not within a minute.
  template <class Done> [[nodiscard]] bool serve_until(Done &&done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit)
        return false;
      driver_.poll();
      std::this_thread::yield();
    }
    return true;
  }

  /// By anybody, also a hook: what ends first, a turn or a lease, is over when CPU 0 next waits.
  void time_is_up() { state_.time_is_up.store(true, std::memory_order_relaxed); }

  /// By a hook that CPU 0 does not wait for: the same, and comes back when CPU 0 has done what
  /// there was to do.
  void let_time_pass() {
    const unsigned before = state_.time_passed.load(std::memory_order_relaxed);
    time_is_up();
    while (state_.time_passed.load(std::memory_order_relaxed) == before)
      std::this_thread::sleep_for(std::chrono::microseconds(100));
  }

  void shut_down() {
    state_.over.store(true, std::memory_order_relaxed);
    for (std::thread &thread : threads_)
      thread.join();
    threads_.clear();
  }

  [[nodiscard]] Word word(unsigned cpu) {
    return Word::from(state_.cpus[cpu].word.load(std::memory_order_acquire));
  }
  [[nodiscard]] core::Lease lease(unsigned cpu) {
    return core::Lease::from(state_.cpus[cpu].lease.load(std::memory_order_relaxed));
  }
  [[nodiscard]] bool is_frozen() const { return state_.frozen; }
  [[nodiscard]] unsigned quarantined(unsigned cpu) { return seats_[cpu].control.quarantined(); }
  [[nodiscard]] int areas_held() { return state_.areas_held.load(); }
  /// What was recorded, in order; the APs' part only after shut_down().
  [[nodiscard]] std::vector<Record> records() {
    std::vector<Record> all = state_.records[0];
    if (threads_.empty())
      for (std::size_t thread = 1; thread < state_.records.size(); ++thread)
        all.insert(all.end(), state_.records[thread].begin(), state_.records[thread].end());
    std::sort(all.begin(), all.end(), [](const Record &a, const Record &b) { return a.number < b.number; });
    return all;
  }

private:
  void ap_thread(unsigned cpu, unsigned start) {
    auto &page_of_kick = state_.cpus[cpu].page_of_kick[start];
    while (!state_.over.load(std::memory_order_relaxed)) {
      if (const std::uint32_t page = page_of_kick.exchange(0, std::memory_order_relaxed); page != 0)
        run_ap(cpu, start, page - 1);
      else
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  /// One start of an AP: up, and then whatever it is called for.
  void run_ap(unsigned cpu, unsigned start, std::uint32_t page) {
    state_.plan.lands(cpu, start);
    const core::Claim claim = core::claim(state_.cpus[cpu].word, page, abi::kPages);
    const std::size_t thread = 1 + std::size_t{cpu - 1} * state_.plan.starts + start;
    if (!claim.won) {
      Env(state_, cpu, thread).log(EventKind::kClaimFailed, cpu, 0, claim.word.bits(), 0);
      state_.plan.refused(cpu, start);
      return;
    }
    ApEnv env(state_, cpu, thread, claim.word);
    core::ApSide<ApEnv> side(env, claim.word, state_.plan.settings);
    if (side.bring_up() == core::ApEnd::kActive) {
      core::ApCall call = side.idle();
      for (; call == core::ApCall::kControl; call = side.idle()) {
        CpEnv control(state_, cpu, thread);
        core::Delegate<CpEnv>(control, state_.plan.settings, seats_).serve();
      }
      if (call == core::ApCall::kDown)
        side.go_down();
    }
    core::come_to_rest(env, side.word());
  }

  State state_;
  CpEnv cp_;
  std::vector<core::Seat<CpEnv>> seats_;
  core::Driver<CpEnv> driver_;
  std::vector<std::thread> threads_;
};

} // namespace reveille::model
