// sync_point: the cost of one sync point between two threads that are pinned to two CPUs, beside what the
// standard library and POSIX have for two threads to meet. With Google Benchmark, whose options it takes.
//
// A sync point: the AP arrives, the control CPU sees that and looks at what it has, and lets it go on;
// neither has passed it alone. One meeting at a barrier does less: both know that the other has come, and
// nobody has been waited for while the other looked. `meeting` is that; `hand-over` is two meetings, the AP's
// arrival and its release, which is what a sync point is. Each waits in the way that it has: core by looking,
// libstdc++ by looking for a short while and then in the kernel, POSIX in the kernel. Core is measured
// waiting as libstdc++ does too, and beside it all a barrier that only looks, which is nobody's but the least
// that two meetings can cost.
//
// The time of a benchmark is that of a batch of kBatch points, without what has to be made new for each
// batch.
#include "hosted_core.hpp"

#include <benchmark/benchmark.h>

#include <barrier>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <sched.h>
#include <thread>
#include <vector>

namespace reveille::bench {
namespace {

constexpr unsigned kBatch = 2048; ///< points

// --- the two threads

/// The CPUs that this process may use, as they are before any thread is pinned.
std::vector<unsigned> usable_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof(allowed), &allowed);
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed))
      cpus.push_back(cpu);
  return cpus;
}
const std::vector<unsigned> kUsable = usable_cpus();

void pin_to(unsigned cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

/// The other thread: does one batch after the other, each when it is told to.
template <class Batch> class Partner {
public:
  Partner(unsigned cpu, Batch batch) : batch_(batch), thread_([this, cpu] { run(cpu); }) {}
  Partner(const Partner &) = delete;
  Partner &operator=(const Partner &) = delete;
  ~Partner() {
    begin(kEnd);
    thread_.join();
  }

  void begin() { begin(++begun_); }
  /// Until the other thread has done its batch.
  void finish() {
    while (finished_.load(std::memory_order_acquire) != begun_) // pairs with the release in run()
      _mm_pause();
  }

private:
  static constexpr std::uint64_t kEnd = ~std::uint64_t{0};

  void begin(std::uint64_t number) {
    told_.store(number, std::memory_order_release);
  } // pairs with run()'s acquire

  void run(unsigned cpu) {
    pin_to(cpu);
    for (std::uint64_t next = 1;; ++next) {
      std::uint64_t told = 0;
      while ((told = told_.load(std::memory_order_acquire)) < next)
        _mm_pause();
      if (told == kEnd)
        return;
      batch_();
      finished_.store(next, std::memory_order_release);
    }
  }

  Batch batch_;
  std::uint64_t begun_ = 0;
  alignas(64) std::atomic<std::uint64_t> told_ = 0;
  alignas(64) std::atomic<std::uint64_t> finished_ = 0;
  std::thread thread_;
};

/// Way: prepare() makes what a batch needs new, ap() and control() are the two sides of it; control() returns
/// whether all has gone well.
template <class Way> void measure(benchmark::State &state) {
  if (kUsable.size() < 2) {
    state.SkipWithError("needs two CPUs");
    return;
  }
  pin_to(kUsable[0]);
  const auto way = std::make_unique<Way>();
  Partner partner(kUsable[1], [&] { way->ap(); });
  for ([[maybe_unused]] auto each : state) {
    way->prepare();
    const auto began = std::chrono::steady_clock::now();
    partner.begin();
    const bool good = way->control();
    const auto ended = std::chrono::steady_clock::now();
    partner.finish();
    if (!good) {
      state.SkipWithError("the AP did not come up and go down again");
      break;
    }
    state.SetIterationTime(std::chrono::duration<double>(ended - began).count());
  }
  state.counters["points"] = kBatch; // of one iteration
}

// --- the core

template <class Core> class CoreBatch {
public:
  void prepare() {}
  void ap() {
    for (unsigned i = 0; i < kCycles; ++i)
      core_.ap_cycle();
  }
  bool control() {
    bool good = true;
    for (unsigned i = 0; i < kCycles && good; ++i)
      good = core_.control_cycle();
    return good;
  }

private:
  static constexpr unsigned kCycles = kBatch / kHandOvers;
  static_assert(kCycles * kHandOvers == kBatch);
  Core core_;
};

// --- the others: meet() comes back when both sides are in it

struct StdBarrier {
  void prepare(unsigned) {}
  void meet(unsigned) { barrier.arrive_and_wait(); }
  std::barrier<> barrier{2};
};

struct PthreadBarrier {
  PthreadBarrier() { pthread_barrier_init(&barrier, nullptr, 2); }
  PthreadBarrier(const PthreadBarrier &) = delete;
  PthreadBarrier &operator=(const PthreadBarrier &) = delete;
  ~PthreadBarrier() { pthread_barrier_destroy(&barrier); }
  void prepare(unsigned) {}
  void meet(unsigned) { pthread_barrier_wait(&barrier); }
  pthread_barrier_t barrier{};
};

/// A fresh one for each meeting, each on a line of its own.
struct StdLatches {
  struct alignas(64) Line {
    std::latch latch{2};
  };
  void prepare(unsigned meetings) {
    if (lines.empty())
      lines = std::vector<std::optional<Line>>(meetings);
    for (std::optional<Line> &line : lines)
      line.emplace();
  }
  void meet(unsigned number) { lines[number]->latch.arrive_and_wait(); }
  std::vector<std::optional<Line>> lines;
};

/// A counter and a generation, and nothing but looking.
struct SpinningBarrier {
  void prepare(unsigned) {}
  void meet(unsigned) {
    const unsigned mine = generation.load(std::memory_order_relaxed);
    if (arrived.fetch_xor(1, std::memory_order_acq_rel) == 1) { // pairs with itself
      generation.store(mine + 1, std::memory_order_release);    // pairs with the load below
      return;
    }
    while (generation.load(std::memory_order_acquire) == mine)
      _mm_pause();
  }
  alignas(64) std::atomic<unsigned> arrived = 0;
  std::atomic<unsigned> generation = 0;
};

/// What one would write by hand.
struct MutexAndCondition {
  void prepare(unsigned) {}
  void meet(unsigned) {
    std::unique_lock lock(mutex);
    const unsigned mine = generation;
    if (++arrived == 2) {
      arrived = 0;
      ++generation;
      lock.unlock();
      changed.notify_one();
      return;
    }
    changed.wait(lock, [&] { return generation != mine; });
  }
  std::mutex mutex;
  std::condition_variable changed;
  unsigned arrived = 0;
  unsigned generation = 0;
};

template <class Primitive, unsigned kMeetings> class Meetings {
public:
  void prepare() { primitive_.prepare(kBatch * kMeetings); }
  void ap() {
    for (unsigned i = 0; i < kBatch * kMeetings; ++i)
      primitive_.meet(i);
  }
  bool control() {
    ap();
    return true;
  }

private:
  Primitive primitive_;
};

template <class Way> void enlist(const char *name) {
  benchmark::RegisterBenchmark(name, measure<Way>)->UseManualTime()->Unit(benchmark::kMicrosecond);
}

template <class Primitive> void enlist_both(const std::string &name) {
  enlist<Meetings<Primitive, 1>>((name + "/meeting").c_str());
  enlist<Meetings<Primitive, 2>>((name + "/hand-over").c_str());
}

} // namespace
} // namespace reveille::bench

int main(int argc, char **argv) {
  using namespace reveille::bench;
  enlist<CoreBatch<WatchedCore<Events::kLeftOut, Waits::kSpinning>>>("core/hand-over");
  enlist<CoreBatch<WatchedCore<Events::kRecorded, Waits::kSpinning>>>("core, events recorded/hand-over");
  enlist<CoreBatch<DrivenCore<Events::kLeftOut, Waits::kSpinning>>>("core, whole driver/hand-over");
  enlist<CoreBatch<WatchedCore<Events::kLeftOut, Waits::kAsAtomic>>>(
      "core, waiting as std::atomic/hand-over");
  enlist_both<StdBarrier>("std::barrier");
  enlist_both<StdLatches>("std::latch");
  enlist_both<PthreadBarrier>("pthread_barrier_t");
  enlist_both<MutexAndCondition>("mutex and condition variable");
  enlist_both<SpinningBarrier>("spinning barrier");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
