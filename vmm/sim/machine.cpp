#include "vmm/sim/machine.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace reveille::vmm::sim {

namespace {

/// How often a CPU may spend time before the machine's driver can look.
constexpr unsigned kMostUnseen = 10'000;

constexpr std::uint8_t bit(DueType type) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(type));
}

} // namespace

Machine::Machine(CpuIndex cpus, Software &software, Host &host)
    : cpus_(cpus), software_(software), host_(host), processors_(std::make_unique<Processor[]>(cpus)),
      stacks_(kStackBytes) {}

void Machine::power_on() {
  processor(0).power = Power::kRuns;
  add(0, 0, DueType::kRun);
}

void Machine::add(Ns time, CpuIndex cpu, DueType type) {
  queue_.add({time, 0, cpu, processors_[cpu].epoch, type});
}

void Machine::step(Ns limit) {
  limit_ = limit;
  unseen_ = 0;
  const Due due = queue_.take();
  now_ = due.time;
  dispatch(due);
}

void Machine::dispatch(const Due &due) {
  if (due.type == DueType::kHost) {
    host_.is_due(due.cpu);
    return;
  }
  Processor &p = processor(due.cpu);
  if (due.epoch != p.epoch)
    return;
  if (due.type == DueType::kWake)
    p.wake_coming = false;
  if (due.type == DueType::kTimer) {
    if (due.time != p.timer) // it was set anew
      return;
    p.timer = kNever;
  }
  if (p.hold != HoldKind::kNone)
    p.kept |= bit(due.type);
  else
    deliver(due.cpu, due.type);
}

void Machine::deliver(CpuIndex cpu, DueType type) {
  Processor &p = processor(cpu);
  if (type == DueType::kStart) {
    start(cpu);
    return;
  }
  if (type == DueType::kWork)
    software_.take_work(cpu);
  if (type == DueType::kRun || p.halting)
    run(cpu);
}

void Machine::start(CpuIndex cpu) {
  if (!host_.may_begin(cpu))
    return;
  processor(cpu).power = Power::kRuns;
  const Software::Begun begun = software_.begin(cpu, processor(cpu).vector);
  if (begun == Software::Begun::kRuns)
    run(cpu);
  else if (begun == Software::Begun::kHalts)
    stop(cpu, Power::kHalted);
}

// --- code on its own stack

void Machine::enter(void *machine) {
  auto *self = static_cast<Machine *>(machine);
  self->software_.run(self->running_);
}

/// Runs a CPU's code until it waits.
void Machine::run(CpuIndex cpu) {
  Processor &p = processor(cpu);
  p.halting = false;
  if (!p.fiber.is_live())
    p.fiber.start(stacks_.take(), enter, this);
  do {
    goes_on_ = false;
    came_ = Came::kWaits;
    running_ = cpu;
    p.fiber.resume();
    if (!Stacks::is_whole(p.fiber.stack()))
      throw std::runtime_error("a simulated CPU has used up its stack; this is a bug in the simulator");
    if (p.fiber.is_live())
      serve(cpu);
    else
      stop(cpu, Power::kHalted);
  } while (goes_on_);
}

/// What a CPU's code has come back for.
void Machine::serve(CpuIndex cpu) {
  switch (came_) {
  case Came::kWaits:
    return;
  case Came::kPlace:
    processor(cpu).kept |= bit(DueType::kRun); // if it is held there, it goes on when it is not
    host_.at_place(cpu, place_, target_);
    return;
  case Came::kAway:
    drop_stack(processor(cpu));
    return;
  case Came::kPanic:
    stop(cpu, Power::kHalted);
    host_.panicked(cpu, why_);
    return;
  }
}

void Machine::come_back(CpuIndex cpu, Came why) {
  came_ = why;
  processor(cpu).fiber.suspend();
}

void Machine::throttle(CpuIndex cpu, std::uint32_t percent, Ns until) {
  processor(cpu).share = percent;
  processor(cpu).share_until = until;
}

/// Work that a throttled CPU begins before its time is over is slow as a whole.
void Machine::spend(CpuIndex cpu, Ns time) {
  if (const Processor &p = processor(cpu); now_ < p.share_until)
    time = time * 100 / p.share;
  const Ns until = now_ + time;
  // Nothing is due before: what would come of a switch is known.
  if (until < queue_.next() && until < limit_ && ++unseen_ < kMostUnseen) {
    now_ = until;
    return;
  }
  add(until, cpu, DueType::kRun);
  come_back(cpu, Came::kWaits);
}

void Machine::halt(CpuIndex cpu, Ns deadline) {
  Processor &p = processor(cpu);
  // A timer that is set already and fires earlier will do: an end of a wait is a hint.
  if (deadline < p.timer) {
    p.timer = std::max(deadline, now_);
    add(p.timer, cpu, DueType::kTimer);
  }
  p.halting = true;
  come_back(cpu, Came::kWaits);
}

void Machine::idle_away(CpuIndex cpu) {
  processor(cpu).halting = true;
  come_back(cpu, Came::kAway);
}

void Machine::call_host(CpuIndex cpu, abi::Place place, CpuIndex target) {
  place_ = place;
  target_ = target;
  come_back(cpu, Came::kPlace);
}

void Machine::panic(CpuIndex cpu, const char *why) {
  why_ = why;
  come_back(cpu, Came::kPanic);
  std::abort(); // nobody resumes it
}

void Machine::drop_stack(Processor &p) {
  if (const Stack stack = p.fiber.discard(); stack.low != nullptr)
    stacks_.put(stack);
}

/// The CPU runs no code any more, and nothing that was due for it is.
void Machine::stop(CpuIndex cpu, Power power) {
  Processor &p = processor(cpu);
  drop_stack(p);
  ++p.epoch;
  p.power = power;
  p.timer = kNever;
  p.kept = 0;
  p.interrupts_on = p.halting = p.wake_coming = false;
}

// --- interrupts

void Machine::wake(CpuIndex cpu, Ns latency) {
  Processor &p = processor(cpu);
  if (!p.halting || p.wake_coming)
    return;
  p.wake_coming = true;
  add(now_ + latency, cpu, DueType::kWake);
}

void Machine::send_work(CpuIndex cpu, Ns latency) { add(now_ + latency, cpu, DueType::kWork); }

void Machine::init(CpuIndex cpu) {
  Processor &p = processor(cpu);
  if (p.power == Power::kAbsent)
    return;
  p.sipi_pending = false; // an INIT takes the place of an older SIPI
  if (p.hold == HoldKind::kFrozen)
    p.init_pending = true;
  else
    take_init(cpu);
}

void Machine::take_init(CpuIndex cpu) {
  stop(cpu, Power::kWaitsForSipi);
  processor(cpu).init_pending = false;
  processor(cpu).hold = HoldKind::kNone;
  host_.was_reset(cpu);
}

void Machine::sipi(CpuIndex cpu, unsigned vector, Ns latency) {
  Processor &p = processor(cpu);
  if (p.hold == HoldKind::kFrozen) {
    p.sipi_pending = true;
    p.vector = static_cast<std::uint8_t>(vector);
    p.start_latency = latency;
  } else {
    take_sipi(cpu, vector, latency);
  }
}

/// Ignored by a processor that does not wait for one.
void Machine::take_sipi(CpuIndex cpu, unsigned vector, Ns latency) {
  Processor &p = processor(cpu);
  if (p.power != Power::kWaitsForSipi)
    return;
  p.power = Power::kStarting;
  p.vector = static_cast<std::uint8_t>(vector);
  add(now_ + latency, cpu, DueType::kStart);
}

// --- the host

void Machine::go_on(CpuIndex cpu) {
  processor(cpu).kept &= static_cast<std::uint8_t>(~bit(DueType::kRun));
  goes_on_ = true;
}

void Machine::hold(CpuIndex cpu, HoldKind kind) { processor(cpu).hold = kind; }

void Machine::release(CpuIndex cpu) {
  Processor &p = processor(cpu);
  p.hold = HoldKind::kNone;
  if (p.init_pending)
    take_init(cpu);
  if (p.sipi_pending) {
    p.sipi_pending = false;
    take_sipi(cpu, p.vector, p.start_latency);
  }
  if ((p.kept & bit(DueType::kTimer)) != 0) // what has fired is an interrupt like any other
    p.kept |= bit(DueType::kWake);
  for (const DueType type : {DueType::kWork, DueType::kStart, DueType::kRun, DueType::kWake})
    if ((p.kept & bit(type)) != 0)
      add(now_, cpu, type);
  p.kept = 0;
}

void Machine::shut_down(CpuIndex cpu) {
  processor(cpu).init_pending = processor(cpu).sipi_pending = false;
  stop(cpu, Power::kShutdown);
}

void Machine::call_at(CpuIndex cpu, Ns time) { add(std::max(time, now_), cpu, DueType::kHost); }

bool Machine::is_idle(CpuIndex cpu) const {
  const Processor &p = processors_[cpu];
  return p.halting && !p.wake_coming && p.hold == HoldKind::kNone;
}

} // namespace reveille::vmm::sim
