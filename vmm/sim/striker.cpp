#include "vmm/sim/striker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace reveille::vmm::sim {

using abi::Place;
using abi::Word;

Striker::Striker(const Scenario &scenario, FaultEngine &faults)
    : scenario_(scenario), faults_(faults), courier_(faults, scenario.machine.vcpus), timed_(faults.timed()) {
  std::reverse(timed_.begin(), timed_.end());
}

void Striker::watch(Machine &machine, Guest &guest) {
  machine_ = &machine;
  guest_ = &guest;
  if (scenario_.faults.empty())
    return;
  for (CpuIndex cpu = 0; cpu < machine.cpus(); ++cpu)
    guest.arm(cpu, faults_.armed(cpu));
}

/// Microseconds since power-on, as the lab counts from the start of its vCPUs.
double Striker::now_us() const { return to_us(machine_->now()); }

// --- what strikes

void Striker::at_place(CpuIndex actor, Place place, CpuIndex target) {
  if (place == Place::kZero) {
    reach_zero();
  } else {
    const AttemptOf attempt{guest_->ordinal(target), guest_->cycle(target)};
    for (const Strike &strike : faults_.at(target, place, attempt))
      stations_[actor].jobs.push_back({strike, false});
    go_through(actor);
  }
  if (machine_->held(actor) == HoldKind::kNone && machine_->power(actor) == Power::kRuns)
    machine_->go_on(actor);
}

/// CPU 0 stands at time zero: what is due then begins before any kick.
void Striker::reach_zero() {
  zero_ = machine_->now();
  is_due(0);
}

/// Posts the strikes whose time has come, ends the hold of `cpu` if it is over.
void Striker::is_due(CpuIndex cpu) {
  if (zero_ != 0 && cpu == 0) {
    const auto time_of = [&](const TimedStrike &timed) { return zero_ + from_us(timed.ms * 1000); };
    while (!timed_.empty() && time_of(timed_.back()) <= machine_->now()) {
      const Strike strike = timed_.back().strike;
      timed_.pop_back();
      post(strike);
    }
    if (!timed_.empty())
      machine_->call_at(0, time_of(timed_.back()));
  }
  deliver_due(cpu);
  const auto it = stations_.find(cpu);
  if (it == stations_.end() || it->second.until > machine_->now())
    return;
  end(it->second, HoldEnd::kReleased);
  it->second.jobs.pop_front();
  machine_->release(cpu);
  go_through(cpu);
}

void Striker::post(const Strike &strike) {
  Station &station = stations_[strike.cpu];
  station.jobs.push_back({strike, true});
  if (!station.firing)
    go_through(strike.cpu);
}

/// Does to a CPU what is to be done to it, one after the other, until something takes its time.
void Striker::go_through(CpuIndex cpu) {
  Station &station = stations_[cpu];
  while (!station.jobs.empty() && perform(cpu, station, station.jobs.front().strike))
    if (!station.jobs.empty())
      station.jobs.pop_front();
}

bool Striker::perform(CpuIndex cpu, Station &station, const Strike &strike) {
  station.firing = faults_.begin(strike, cpu, guest_->word(strike.cpu), now_us());
  if (!station.firing)
    return true;
  const FaultSpec &fault = *strike.spec;
  if (fault.holds()) {
    hold(cpu, station, fault);
    return false;
  }
  switch (fault.action) {
  case Action::kCrash:
    return begin_crash(cpu, station);
  case Action::kReset:
    reset(cpu, station);
    return false;
  case Action::kFail:
    guest_->set_step_error(strike.cpu, fault.error);
    end(station, HoldEnd::kStepFailed);
    return true;
  case Action::kNmi:
  case Action::kInterrupt:
    machine_->wake(cpu, 0); // nothing else comes of one that nobody asked for
    break;
  case Action::kSpuriousSipi:
    machine_->sipi(cpu, fault.vector, 0);
    break;
  case Action::kFlip:
    write_word(strike.cpu, *station.firing, guest_->word(strike.cpu) ^ fault.bits);
    break;
  case Action::kStale:
    write_word(strike.cpu, *station.firing, guest_->kicked_from(strike.cpu));
    break;
  case Action::kGarbage:
    guest_->put_garbage(strike.cpu);
    break;
  case Action::kThrottle:
    machine_->throttle(cpu, fault.percent,
                       fault.duration_ms > 0 ? machine_->now() + from_us(fault.duration_ms * 1000) : kNever);
    break;
  default:
    break;
  }
  end(station, HoldEnd::kDone);
  return true;
}

void Striker::write_word(CpuIndex cpu, FiringId firing, std::uint64_t bits) {
  faults_.note_write(firing, {guest_->put_word(cpu, bits), bits});
}

bool Striker::begin_crash(CpuIndex cpu, Station &station) {
  const Power power = machine_->power(cpu);
  station.crash_waits =
      power == Power::kWaitsForInit || power == Power::kWaitsForSipi || power == Power::kStarting;
  if (!station.crash_waits)
    crash(cpu, station);
  return false;
}

/// An INIT. CPU 0 begins anew where there is no firmware: that is its end.
void Striker::reset(CpuIndex cpu, Station &station) {
  if (cpu != 0) {
    machine_->init(cpu); // comes back as was_reset()
    return;
  }
  machine_->shut_down(cpu);
  note_crash(cpu, "reset, and there is no firmware");
  end(station, HoldEnd::kReset);
  station.jobs.pop_front();
  forget_place(station);
}

void Striker::hold(CpuIndex cpu, Station &station, const FaultSpec &fault) {
  machine_->hold(cpu, fault.action == Action::kFreeze ? HoldKind::kFrozen : HoldKind::kSpins);
  if (fault.duration_ms > 0) {
    station.until = machine_->now() + from_us(fault.duration_ms * 1000);
    machine_->call_at(cpu, station.until);
  }
}

/// A triple fault. What was to be done to it at its place is void.
void Striker::crash(CpuIndex cpu, Station &station) {
  machine_->shut_down(cpu);
  note_crash(cpu, "triple fault");
  end(station, HoldEnd::kCrashed);
  station.jobs.pop_front();
  forget_place(station);
  go_through(cpu);
}

void Striker::end(Station &station, HoldEnd how) {
  faults_.end(*station.firing, how, now_us());
  station.firing.reset();
  station.until = kNever;
  station.crash_waits = false;
}

void Striker::forget_place(Station &station) {
  std::erase_if(station.jobs, [](const Job &job) { return !job.posted; });
}

// --- deliveries

void Striker::send(CpuIndex sender, const Parcel &sent, Ns latency) {
  const Courier::Addressee addressee{guest_->word(sent.to),
                                     {guest_->ordinal(sent.to), guest_->cycle(sent.to)}};
  for (const Parcel &parcel : courier_.route(sent, sender, addressee, now_us())) {
    // What a CPU sends to itself finds it when it has come off its own stack.
    if (parcel.after_ms <= 0 && parcel.to != sender) {
      deliver(parcel, latency);
      continue;
    }
    later_.push_back({machine_->now() + from_us(parcel.after_ms * 1000), parcel, latency});
    machine_->call_at(parcel.to, later_.back().due);
  }
}

void Striker::deliver_due(CpuIndex cpu) {
  const auto is_due = [&](const Later &each) { return each.parcel.to == cpu && each.due <= machine_->now(); };
  std::vector<Later> due;
  std::ranges::copy_if(later_, std::back_inserter(due), is_due);
  std::erase_if(later_, is_due);
  for (const Later &each : due)
    deliver(each.parcel, each.latency);
}

/// An INIT to a CPU that is up is the end of what it was; to CPU 0, which has no firmware to begin
/// with, of all.
void Striker::deliver(const Parcel &parcel, Ns latency) {
  if (!parcel.is_init) {
    machine_->sipi(parcel.to, parcel.vector, latency);
    return;
  }
  const bool was_up = parcel.to == 0 || Word::from(guest_->word(parcel.to)).state == abi::State::kActive;
  if (parcel.to == 0)
    machine_->shut_down(0);
  else
    machine_->init(parcel.to);
  if (was_up)
    note_crash(parcel.to, "an INIT, when it was up");
}

// --- what else the machine tells

/// A CPU that is held as if it spun takes an INIT at once, and is out of its hold.
void Striker::was_reset(CpuIndex cpu) {
  const auto it = stations_.find(cpu);
  if (it == stations_.end())
    return;
  Station &station = it->second;
  const bool was_held = station.firing && !station.crash_waits;
  if (was_held) {
    end(station, HoldEnd::kReset);
    station.jobs.pop_front();
  }
  forget_place(station);
  if (was_held)
    go_through(cpu);
}

bool Striker::may_begin(CpuIndex cpu) {
  const auto it = stations_.find(cpu);
  if (it == stations_.end() || !it->second.crash_waits)
    return true;
  crash(cpu, it->second);
  return false;
}

void Striker::panicked(CpuIndex cpu, const char *why) {
  note_crash(cpu, fmt::format("the guest panicked: {}", why));
}

void Striker::note_crash(CpuIndex cpu, std::string what) {
  crashed_.insert(cpu);
  crashes_.push_back({cpu, Word::from(guest_->word(cpu)).attempt, std::move(what), 0, ""});
  control_died_ = control_died_ || cpu == 0;
}

bool Striker::crashed(CpuIndex cpu, std::uint32_t attempt) const {
  return crashed(cpu) && std::ranges::any_of(crashes_, [&](const CrashEvidence &crash) {
           return crash.cpu == cpu && crash.attempt == attempt;
         });
}

void Striker::has_decided(CpuIndex cpu, std::uint32_t attempt, bool up) {
  if (faults_.strikes(cpu))
    faults_.tell(cpu, attempt, up ? Aftermath::kActive : Aftermath::kDead);
}

} // namespace reveille::vmm::sim
