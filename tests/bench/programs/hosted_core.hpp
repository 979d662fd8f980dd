// The core between two threads: its environment where a thread is a CPU, with nothing in it that is not the
// core's own work. Words and rings are laid out as they are in the guest; a kick is a store that the other
// thread looks at.
#pragma once

#include "core/ap.hpp"
#include "core/driver.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <x86intrin.h>

namespace reveille::bench {

/// Whether each event is written to the ring of the CPU that it happens on, as in the guest.
enum class Events : bool { kLeftOut, kRecorded };

/// How a CPU waits.
enum class Waits : bool {
  kSpinning, ///< it looks again and again; a wake is nothing to do
  kAsAtomic, ///< as std::atomic's wait() does: a short spin, then in the kernel until somebody wakes it
};

/// CPU 0 is the control CPU of Driver, CPU 1 the AP, and CPU 2 a control CPU as tree has them.
inline constexpr unsigned kCpus = 3;
inline constexpr unsigned kAp = 1;
inline constexpr unsigned kOtherControlCpu = 2;
inline constexpr std::uint32_t kRingCapacity = 128; ///< events

struct HostedMachine {
  struct alignas(64) Cpu {
    std::atomic<std::uint32_t> page = 0;  ///< to start on, plus 1; 0: not kicked
    std::atomic<std::uint32_t> wakes = 0; ///< how often it was woken
  };

  std::unique_ptr<abi::CpuSlot[]> slots = std::make_unique<abi::CpuSlot[]>(kCpus);
  std::unique_ptr<abi::Event[]> rings = std::make_unique<abi::Event[]>(std::size_t{kCpus} * kRingCapacity);
  core::Arrivals<std::atomic<std::uint64_t>, abi::kMaxCpus> arrivals;
  std::array<Cpu, kCpus> cpus;
};

/// Both sides' environment, which is core's CpEnvironment and ApEnvironment at once.
template <Events kEvents, Waits kWaits> class HostedEnvironment {
public:
  HostedEnvironment(HostedMachine &machine, unsigned cpu) : machine_(machine), cpu_(cpu) {}

  std::atomic<std::uint64_t> &word(unsigned cpu) { return machine_.slots[cpu].sync.word; }
  std::atomic<std::uint64_t> &lease(unsigned cpu) { return machine_.slots[cpu].sync.lease; }
  abi::TscLine &tsc_ap(unsigned cpu) { return machine_.slots[cpu].tsc_ap; }
  abi::TscLine &tsc_cp(unsigned cpu) { return machine_.slots[cpu].tsc_cp; }
  auto &arrivals() { return machine_.arrivals; }
  [[nodiscard]] unsigned cpu() const { return cpu_; }
  std::uint64_t now() { return __rdtsc(); }
  void relax() { _mm_pause(); }

  void log(abi::EventKind kind, unsigned cpu, std::uint32_t attempt, std::uint64_t a, std::uint64_t b) {
    if constexpr (kEvents == Events::kRecorded) {
      std::atomic<std::uint32_t> &written = machine_.slots[cpu_].ring.count;
      const std::uint32_t count = written.load(std::memory_order_relaxed);
      machine_.rings[std::size_t{cpu_} * kRingCapacity + count % kRingCapacity] = {.tsc = __rdtsc(),
                                                                                   .attempt = attempt,
                                                                                   .cpu = cpu,
                                                                                   .a = a,
                                                                                   .b = b,
                                                                                   .kind = kind,
                                                                                   .flags = 0,
                                                                                   .reserved = {}};
      written.store(count + 1, std::memory_order_release); // pairs with whoever reads the ring
    }
  }

  // No steps: what is measured is how they are come to, not they.
  unsigned step_count(core::Section) { return 0; }
  core::StepInfo step_info(core::Section, unsigned) { return {}; }
  int start_step(core::Section, unsigned, core::StepTarget &) { return 0; }
  void undo_step(core::Section, unsigned, core::StepTarget &) {}

  void wake(unsigned cpu) {
    if constexpr (kWaits == Waits::kAsAtomic) {
      machine_.cpus[cpu].wakes.fetch_add(1, std::memory_order_seq_cst);
      machine_.cpus[cpu].wakes.notify_one();
    }
  }
  template <class Until> void wait(Until &&until) {
    std::atomic<std::uint32_t> &wakes = machine_.cpus[cpu_].wakes;
    for (;;) {
      const std::uint32_t seen = wakes.load(std::memory_order_seq_cst);
      if (until())
        return;
      if constexpr (kWaits == Waits::kAsAtomic)
        wakes.wait(seen, std::memory_order_relaxed);
      else
        relax();
    }
  }

  // The AP's side. A swap comes before each look at `control`, which is a full barrier here.
  unsigned control_cpu() { return machine_.slots[cpu_].sync.control.load(std::memory_order_relaxed); }
  std::uint32_t token() { return 0; }
  void at(abi::Place) {}
  template <class Until> bool wait_for(Until &&until, std::uint64_t) {
    wait(until);
    return true;
  }
  template <class Until> void idle(Until &&until) { wait(until); }
  void put_failure(unsigned, int) {}
  void enter_idle() {}
  void leave_idle() {}

  // The control CPU's side.
  void at_kick(unsigned) {}
  void publish_attempt(core::StepTarget, std::uint32_t, std::uint32_t) {}
  void publish_control(unsigned cpu) {
    machine_.slots[cpu].sync.control.exchange(cpu_, std::memory_order_seq_cst);
  }
  void freeze_steps(bool) {}
  unsigned primary_of(unsigned cpu) { return cpu; }
  void kick(unsigned cpu, std::uint32_t attempt) {
    machine_.cpus[cpu].page.store(attempt % abi::kPages + 1, std::memory_order_relaxed);
    wake(cpu);
  }
  [[nodiscard]] bool can_kick_all() const { return false; }
  void kick_all(std::uint32_t) {}
  void stop(unsigned, std::uint32_t) {}
  template <class Until> void wait_until(Until &&until, std::uint64_t) { wait(until); }
  core::Failure failure(core::StepTarget) { return {}; }

private:
  HostedMachine &machine_;
  unsigned cpu_;
};
static_assert(core::ApEnvironment<HostedEnvironment<Events::kLeftOut, Waits::kSpinning>>);
static_assert(core::CpEnvironment<HostedEnvironment<Events::kLeftOut, Waits::kSpinning>>);

/// The points, dying and dead: where the AP hands over and waits on its way up and down again.
inline constexpr unsigned kHandOvers = protocol::kPointCount + 2;

/// Brings the AP up and takes it down. A turn has no end: what does not come ends with the program's own
/// bound.
template <Events kEvents, Waits kWaits> class HostedCore {
public:
  using Environment = HostedEnvironment<kEvents, kWaits>;

  /// The AP: comes when it is kicked, until it is down again.
  void ap_cycle() {
    std::atomic<std::uint32_t> &page = machine_.cpus[kAp].page;
    ap_.wait([&] { return page.load(std::memory_order_relaxed) != 0; });
    const std::uint32_t started_on = page.load(std::memory_order_relaxed) - 1;
    page.store(0, std::memory_order_relaxed); // before the claim, and so before any other kick
    const core::Claim claim = core::claim(ap_.word(kAp), started_on, abi::kPages);
    core::ApSide<Environment> side(ap_, claim.word, settings_);
    if (claim.won && side.bring_up() == core::ApEnd::kActive && side.idle() == core::ApCall::kDown)
      side.go_down();
    core::come_to_rest(ap_, side.word());
  }

protected:
  HostedMachine machine_;
  core::Settings settings_ = settings();

private:
  static core::Settings settings() {
    core::Settings settings;
    settings.cpus = 2;
    settings.timeout = std::uint64_t{1} << 60;
    settings.tsc_rounds =
        0; // the AP asks for the CP and is told that it is over: there are no clocks to compare
    return settings;
  }
  Environment ap_{machine_, kAp};
};

/// With the control object alone, by a control CPU that watches this AP's word, as in tree.
template <Events kEvents, Waits kWaits> class WatchedCore : public HostedCore<kEvents, kWaits> {
public:
  WatchedCore() { control_.init(kAp); }

  /// False: the core has not brought the AP up, or not down again.
  [[nodiscard]] bool control_cycle() {
    control_.begin_cycle(++cycle_);
    return settled(control_.kick(env_)) == core::Outcome::kActive &&
           settled(control_.take_down(env_)) == core::Outcome::kDown;
  }

private:
  core::Outcome settled(core::Outcome outcome) {
    for (;;) {
      if (outcome == core::Outcome::kAtGate)
        outcome = control_.pass(env_);
      if (outcome != core::Outcome::kTurn && outcome != core::Outcome::kNothing)
        return outcome;
      env_.wait_until([&] { return control_.has_news(env_); }, 0);
      outcome = control_.look(env_, this->settings_);
    }
  }

  typename HostedCore<kEvents, kWaits>::Environment env_{this->machine_, kOtherControlCpu};
  core::Control<HostedEnvironment<kEvents, kWaits>> control_;
  std::uint32_t cycle_ = 0;
};

/// With all of the control side: the driver with its queues and deadlines, told of arrivals by the map.
template <Events kEvents, Waits kWaits> class DrivenCore : public HostedCore<kEvents, kWaits> {
public:
  [[nodiscard]] bool control_cycle() {
    driver_.bring_up();
    const bool is_up = state() == abi::State::kActive;
    driver_.take_down();
    return is_up && state() == abi::State::kDead;
  }

private:
  abi::State state() { return core::Word::from(env_.word(kAp).load(std::memory_order_relaxed)).state; }

  typename HostedCore<kEvents, kWaits>::Environment env_{this->machine_, 0};
  std::array<core::Seat<HostedEnvironment<kEvents, kWaits>>, 2> seats_{};
  core::Driver<HostedEnvironment<kEvents, kWaits>> driver_{env_, this->settings_, seats_};
};

} // namespace reveille::bench
