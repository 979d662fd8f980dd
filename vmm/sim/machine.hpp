// The simulated machine: processors with local APICs, in virtual time. What runs on them is
// Software, what watches over them is a Host; of both it knows no more than these interfaces.
//
// One thread does it all. Between two moments at which a CPU spends time or waits, its code is
// alone in the world; so the order of everything follows from the times alone.
#pragma once

#include "core/abi/place.hpp"
#include "vmm/faults/courier.hpp"
#include "vmm/sim/fiber.hpp"
#include "vmm/sim/queue.hpp"
#include "vmm/sim/sanitizer.hpp"

#include <memory>

namespace reveille::vmm::sim {

/// What the processors run. Code on a CPU's own stack may spend time, wait and call the host;
/// the rest happens at one instant.
class Software {
public:
  virtual ~Software() = default;
  /// What comes of a SIPI.
  enum class Begun : std::uint8_t {
    kRuns,   ///< run() is next
    kHalts,  ///< for ever
    kAstray, ///< there is no code: it executes what it finds, and an INIT alone ends that
  };
  /// The CPU has come from its SIPI to the page `vector` * 4096, without a stack.
  virtual Begun begin(CpuIndex cpu, unsigned vector) = 0;
  /// On a stack: what the CPU does from there on, or out of idle_away(). When it comes back the
  /// CPU halts for ever.
  virtual void run(CpuIndex cpu) = 0;
  /// The handler of the worker's interrupt.
  virtual void take_work(CpuIndex cpu) = 0;
};

/// Whoever has built the machine, and may strike its processors.
class Host {
public:
  virtual ~Host() = default;
  /// `actor` is at a place of `target`, which is itself or the CPU that it is about to kick. It
  /// stands still until go_on(), or until it is released from a hold.
  virtual void at_place(CpuIndex actor, abi::Place place, CpuIndex target) = 0;
  /// An INIT has taken the CPU out of whatever it was in.
  virtual void was_reset(CpuIndex cpu) = 0;
  /// The CPU is about to run its first instruction. False: it must not, and does not stand.
  virtual bool may_begin(CpuIndex cpu) = 0;
  /// Something that the host has asked for, of this CPU, is due.
  virtual void is_due(CpuIndex cpu) = 0;
  /// `sender` sends an INIT, or a SIPI after which the CPU needs `latency` to its first code.
  virtual void send(CpuIndex sender, const Parcel &parcel, Ns latency) = 0;
  /// The software on the CPU cannot go on, and says why.
  virtual void panicked(CpuIndex cpu, const char *why) = 0;
};

/// Whether a processor executes.
enum class Power : std::uint8_t {
  kWaitsForInit, ///< after power-on, for all but CPU 0; a SIPI is ignored, as KVM does
  kWaitsForSipi, ///< after an INIT
  kStarting,     ///< a SIPI has started it; no code of its own has run yet
  kRuns,         ///< runs, or halts until an interrupt
  kHalted,       ///< with interrupts off
  kShutdown,     ///< by a triple fault
  kAbsent,       ///< there is no such processor: what is sent to it reaches nobody
};

/// What a host can do to a processor.
enum class HoldKind : std::uint8_t {
  kNone,
  kSpins,  ///< it makes no progress, and takes an INIT at once
  kFrozen, ///< it gets no time at all, and an INIT stays pending
};

class Machine {
public:
  /// Of a CPU's stack: for the deepest calls of the core with room to spare; a signal's frame
  /// must fit on top. Only what is touched is real.
  static constexpr std::size_t kStackBytes = asan::kOn ? 128 << 10 : 32 << 10;

  /// `software` and `host` must outlive the machine. Throws std::bad_alloc.
  Machine(CpuIndex cpus, Software &software, Host &host);

  // --- driving it

  /// There is no such processor; before power_on().
  void leave_out(CpuIndex cpu) { processor(cpu).power = Power::kAbsent; }
  /// Starts CPU 0 at time 0.
  void power_on();
  /// When something is next due; kNever: nothing ever.
  [[nodiscard]] Ns next() const { return queue_.next(); }
  /// Does what is due next. No code goes on past `limit` without coming back here.
  void step(Ns limit);
  [[nodiscard]] Ns now() const { return now_; }
  [[nodiscard]] CpuIndex cpus() const { return cpus_; }
  [[nodiscard]] const Stacks &stacks() const { return stacks_; }

  // --- for software, on the stack of the CPU that it names

  /// The CPU works for that long.
  void spend(CpuIndex cpu, Ns time);
  /// Halts until an interrupt, or until the timer fires at `deadline` or before.
  void halt(CpuIndex cpu, Ns deadline);
  /// Halts, and needs its stack no more: at an interrupt Software::run() is called anew.
  void idle_away(CpuIndex cpu);
  /// Asks the host in; it lets the CPU go on when it likes.
  void call_host(CpuIndex cpu, abi::Place place, CpuIndex target);
  /// Cannot go on. Does not come back.
  [[noreturn]] void panic(CpuIndex cpu, const char *why);

  // --- for software, of any CPU, at any time

  /// An interrupt to a CPU that may be halting, after the time that it takes.
  void wake(CpuIndex cpu, Ns latency);
  /// A worker's interrupt.
  void send_work(CpuIndex cpu, Ns latency);
  /// Sends an INIT or a SIPI on its way, which is the host's.
  void send(CpuIndex sender, const Parcel &parcel, Ns latency) { host_.send(sender, parcel, latency); }
  /// Delivers an INIT; a SIPI, after which the CPU needs `latency` to its first code (SDM vol. 3A,
  /// 9.4 "Multiple-Processor (MP) Initialization").
  void init(CpuIndex cpu);
  void sipi(CpuIndex cpu, unsigned vector, Ns latency);
  void set_interrupts(CpuIndex cpu, bool on) { processor(cpu).interrupts_on = on; }
  [[nodiscard]] bool interrupts_on(CpuIndex cpu) const { return processors_[cpu].interrupts_on; }

  // --- for the host, not from a CPU's own stack

  /// In Host::at_place(): the CPU goes on at once.
  void go_on(CpuIndex cpu);
  /// From now on the CPU is held; it must not be yet.
  void hold(CpuIndex cpu, HoldKind kind);
  /// It is not any more, and takes what has been kept from it.
  void release(CpuIndex cpu);
  [[nodiscard]] HoldKind held(CpuIndex cpu) const { return processors_[cpu].hold; }
  /// Until then the CPU's work takes 100 / `percent` times as long.
  void throttle(CpuIndex cpu, std::uint32_t percent, Ns until);
  /// A triple fault.
  void shut_down(CpuIndex cpu);
  /// Has Host::is_due() called.
  void call_at(CpuIndex cpu, Ns time);
  [[nodiscard]] Power power(CpuIndex cpu) const { return processors_[cpu].power; }
  /// Whether the CPU halts until an interrupt, and none is on its way.
  [[nodiscard]] bool is_idle(CpuIndex cpu) const;

private:
  struct Processor {
    Fiber fiber;
    Ns timer = kNever; ///< when it is set to fire
    std::uint32_t epoch = 0;
    Power power = Power::kWaitsForInit;
    HoldKind hold = HoldKind::kNone;
    std::uint8_t vector = 0;    ///< of the SIPI that it takes, or that is pending
    std::uint8_t kept = 0;      ///< bit n: DueType n came while it was held
    bool interrupts_on = false; ///< only for the record: nothing comes to a CPU that is not ready
    bool halting = false;       ///< until an interrupt
    bool wake_coming = false;   ///< another one would tell it no more
    bool init_pending = false;  ///< of a frozen one
    bool sipi_pending = false;  ///< likewise
    Ns start_latency = 0;       ///< of the SIPI that is pending
    std::uint32_t share = 100;  ///< percent of its time that it has
    Ns share_until = 0;
  };

  /// Why a CPU's code has come back.
  enum class Came : std::uint8_t { kWaits, kPlace, kAway, kPanic };

  Processor &processor(CpuIndex cpu) { return processors_[cpu]; }
  static void enter(void *machine);
  void add(Ns time, CpuIndex cpu, DueType type);
  void dispatch(const Due &due);
  void deliver(CpuIndex cpu, DueType type);
  void start(CpuIndex cpu);
  void run(CpuIndex cpu);
  void serve(CpuIndex cpu);
  void come_back(CpuIndex cpu, Came why);
  void drop_stack(Processor &p);
  void stop(CpuIndex cpu, Power power);
  void take_init(CpuIndex cpu);
  void take_sipi(CpuIndex cpu, unsigned vector, Ns latency);

  CpuIndex cpus_;
  Software &software_;
  Host &host_;
  std::unique_ptr<Processor[]> processors_;
  Stacks stacks_;
  Queue queue_;
  Ns now_ = 0;
  Ns limit_ = kNever;
  unsigned unseen_ = 0; ///< how often a CPU has spent time since the driver of the machine looked
  CpuIndex running_ = 0;
  Came came_ = Came::kWaits;
  bool goes_on_ = false;
  abi::Place place_{};
  CpuIndex target_ = 0;
  const char *why_ = "";
};

} // namespace reveille::vmm::sim
