#include "vmm/lab/lab.hpp"

#include "core/protocol/states.hpp"
#include "vmm/lab/interrupt.hpp"
#include "vmm/lab/snapshot.hpp"
#include "vmm/scenario/bound.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace reveille::vmm {

using abi::State;
using abi::Word;
using std::chrono::microseconds;

namespace {

constexpr microseconds kLook{10'000};        // between two looks when nothing is told
constexpr double kTakeUs = 50'000;           // between two looks into the rings of all APs
constexpr double kQuietUs = 5'000;           // CPU 0 has nothing more to do for late APs
constexpr microseconds kReport{100'000};     // between two reports of progress
constexpr microseconds kJoinLook{20'000};    // between two kicks of threads that should end
constexpr double kJoinBoundUs = 5'000'000;   // for all threads to come back
constexpr double kZeroBoundUs = 1'000'000;   // for the strikes of time zero to begin
constexpr double kStartBoundUs = 60'000'000; // for all threads to begin

/// The guest's word for it, which may be any number.
std::string describe_refusal(std::uint32_t refusal) {
  switch (static_cast<abi::Refusal>(refusal)) {
  case abi::Refusal::kNone:
    return "it does not say why";
  case abi::Refusal::kVersion:
    return "the control page is of another version or size, or not sound; build vmm and guest together";
  case abi::Refusal::kNoAcpi:
    return "it found no RSDP, or no MADT behind it";
  case abi::Refusal::kTooMany:
    return "its MADT lists more CPUs than the control page has slots for";
  case abi::Refusal::kNoMemory:
    return "too little usable memory for stacks and per-CPU areas; set a larger memory_mib";
  case abi::Refusal::kNoClock:
    return "it found no clock";
  case abi::Refusal::kNoLowPage:
    return "there is no room below 640 KiB for the trampoline";
  }
  return fmt::format("for a reason that this vmm does not know ({})", refusal);
}

} // namespace

Lab::Lab(const Scenario &scenario, Machine &machine, LabStart start)
    : scenario_(scenario), machine_(machine), faults_(scenario, machine.roster()),
      state_(machine, faults_, scenario), timed_(faults_.timed()), bound_ms_(run_bound_ms(scenario)) {
  state_.starts_at_zero = start.at_zero;
  state_.on_zero = std::move(start.on_zero);
  state_.look = [this](CpuIndex cpu, double most_us) { runners_[cpu]->have_it_look(most_us); };
  std::reverse(timed_.begin(), timed_.end());
  if (timed_.empty() || timed_.back().ms > 0)
    state_.note_zero_served(); // nothing strikes there: CPU 0 need not wait for anybody
  for (CpuIndex cpu = 0; cpu < machine.cpus(); ++cpu) {
    const std::uint64_t mask = faults_.armed(cpu);
    for (unsigned place = 0; place < abi::kPlaceCount; ++place)
      if ((mask >> place & 1) != 0)
        machine.control().arm(cpu, static_cast<abi::Place>(place));
    machine.control().arm(cpu, abi::Place::kStop); // what an INIT makes it forget is looked at there
    runners_.push_back(machine.exists(cpu) ? std::make_unique<VcpuRunner>(state_, cpu) : nullptr);
  }
}

/// Whatever ended run(), no thread may be left in KVM_RUN.
Lab::~Lab() { stop(); }

Result<Observation> Lab::run(const ProgressHook &progress) {
  if (const auto started = start(); !started) {
    stop();
    return tl::unexpected(started.error());
  }
  const RunEnd end = watch(progress);
  stop();
  return observe(end);
}

/// LAPICs of our own tell what is sent; with the kernel's the guest is stopped where it sends.
ApicBus::Interceptor Lab::interceptor() {
  return [this](CpuIndex sender, std::uint32_t to, const lapic::Message &message) {
    if (to >= machine_.cpus())
      return false;
    const bool is_init = message.delivery == lapic::Delivery::kInit;
    state_.deliveries.send({.to = to, .is_init = is_init, .vector = message.vector}, sender, state_.now_us());
    state_.tell();
    return true;
  };
}

/// Before anything runs: what is asked for must be there.
Result<void> Lab::find_instructions() {
  for (const FaultSpec &fault : scenario_.faults)
    if (fault.action == Action::kJump)
      if (const auto target = find_code(machine_, fault.target); !target)
        return tl::unexpected(target.error());
  const bool untold = faults_.has_deliveries() && !machine_.bus().intercept(interceptor());
  for (CpuIndex cpu = 0; cpu < machine_.cpus(); ++cpu) {
    const bool may_control = cpu == 0 || scenario_.bringup.strategy == abi::Strategy::kTree;
    auto stops = find_stops(scenario_, faults_, machine_, cpu, untold && may_control);
    if (!stops)
      return tl::unexpected(stops.error());
    if (machine_.exists(cpu))
      runners_[cpu]->stop_at(std::move(*stops));
  }
  return {};
}

/// The APs' threads first, so that bring-up does not compete with their creation.
Result<void> Lab::start() {
  if (auto found = find_instructions(); !found)
    return found;
  for (CpuIndex cpu = 1; cpu < machine_.cpus(); ++cpu) {
    if (InterruptGuard::interrupted())
      return {}; // watch() will see it
    if (!machine_.exists(cpu))
      continue;
    if (auto started = runners_[cpu]->start(); !started)
      return started;
  }
  if (auto begun = wait_for_threads(); !begun)
    return begun;
  return InterruptGuard::interrupted() ? Result<void>{} : runners_[0]->start();
}

/// Each thread tells when it has begun. An interrupt ends the wait, too.
Result<void> Lab::wait_for_threads() {
  const double began = state_.now_us();
  for (CpuIndex cpu = 1; cpu < machine_.cpus(); ++cpu)
    while (machine_.exists(cpu) && !runners_[cpu]->started() && !InterruptGuard::interrupted()) {
      if (state_.now_us() - began > kStartBoundUs)
        return fail(
            ExitStatus::kUnsupported,
            fmt::format("the thread of vCPU {} has not begun to run within {:.0f} s; use fewer vCPUs, or a "
                        "host that is less busy",
                        cpu, kStartBoundUs / 1e6));
      state_.wait_for_news(kLook);
    }
  return {};
}

RunEnd Lab::watch(const ProgressHook &progress) {
  for (;;) {
    state_.wait_for_news(until_next_look());
    deliver_timed();
    next_delivery_us_ = state_.deliveries.deliver_due(state_.now_us());
    take_events();
    if (const auto end = ended())
      return *end;
    report(progress);
  }
}

/// Not past the moment when the next strike is due.
std::chrono::microseconds Lab::until_next_look() const {
  const double now = state_.now_us();
  double due = static_cast<double>(kLook.count());
  if (next_delivery_us_)
    due = std::min(due, *next_delivery_us_ - now);
  if (const auto zero = state_.zero_us(); zero && !timed_.empty())
    due = std::min(due, timed_.back().ms * 1000 - (now - *zero));
  return microseconds(static_cast<std::int64_t>(std::max(due, 0.0)));
}

std::optional<RunEnd> Lab::ended() {
  if (InterruptGuard::interrupted())
    return RunEnd::kInterrupted;
  if (state_.refused())
    return RunEnd::kRefused;
  if (state_.crashed(0))
    return RunEnd::kControlDied;
  // Both are asked every time: asking is what makes progress.
  const bool seen = all_seen_through();
  // What was sent before all was decided is looked for behind that: next_delivery_us_ is from before.
  if (state_.decided() && seen && timed_.empty() && !state_.deliveries.any_late() && all_logged() &&
      control_is_done())
    return RunEnd::kComplete;
  if (state_.now_us() > bound_ms_ * 1000)
    return RunEnd::kBound;
  return std::nullopt;
}

/// Posts the strikes whose time has come. CPU 0 waits at time zero until those that are due
/// there have begun, so that they come before any kick.
void Lab::deliver_timed() {
  const auto zero = state_.zero_us();
  if (!zero)
    return;
  std::vector<CpuIndex> posted;
  while (!timed_.empty() && timed_.back().ms * 1000 <= state_.now_us() - *zero) {
    const Strike strike = timed_.back().strike;
    timed_.pop_back();
    runners_[strike.cpu]->post(strike);
    posted.push_back(strike.cpu);
  }
  if (state_.zero_served())
    return;
  const double give_up = state_.now_us() + kZeroBoundUs;
  for (const CpuIndex cpu : posted)
    while (cpu != 0 && runners_[cpu]->has_post() && !faults_.holder(cpu) && state_.now_us() < give_up &&
           !InterruptGuard::interrupted())
      std::this_thread::sleep_for(microseconds(100));
  state_.note_zero_served();
}

/// CPU 0's ring tells how the run goes. The others are emptied now and then, so that they do
/// not overflow in a long cycle; what they hold is needed when CPU 0 rings, which takes it out.
void Lab::take_events() {
  const double now = state_.now_us();
  if (now - last_take_us_ >= kTakeUs) {
    last_take_us_ = now;
    state_.trace.take_all();
  } else {
    state_.trace.take(0);
  }
  if (const std::uint64_t taken = state_.trace.taken(0); taken != control_events_) {
    control_events_ = taken;
    last_event_us_ = now;
  }
}

/// Whether CPU 0 has taken the proof that parked APs have given it, and has had the time to
/// act on it: it writes down each step that it undoes.
bool Lab::control_is_done() {
  bool any_quarantine = false;
  for (CpuIndex cpu = 1; cpu < machine_.cpus(); ++cpu) {
    const Standing of = state_.trace.standing(cpu);
    any_quarantine = any_quarantine || of.quarantined != 0;
    const Word word = machine_.control().word(cpu);
    if (word.state == State::kParked && word.attempt == of.quarantined && of.proven < of.quarantined)
      return false;
  }
  return !any_quarantine || state_.now_us() - last_event_us_ > kQuietUs;
}

bool Lab::all_seen_through() {
  const bool run_decided = state_.decided();
  bool all = true;
  for (CpuIndex cpu = 0; cpu < machine_.cpus(); ++cpu) {
    if (!faults_.strikes(cpu))
      continue;
    const Standing of = state_.trace.standing(cpu);
    const SyncView sync = machine_.control().sync(cpu);
    FaultEngine::CpuState now;
    now.decided = run_decided || of.out;
    now.online = of.online() && !state_.crashed(cpu, Word::from(sync.word).attempt);
    now.word = sync.word;
    now.attempt = {sync.ordinal, sync.cycle};
    now.at_rest = cpu == 0 || !machine_.exists(cpu) || runners_[cpu]->at_rest();
    if (faults_.see_through(cpu, now))
      continue;
    all = false;
    if (now.decided && machine_.exists(cpu) && faults_.wants_rest(cpu))
      runners_[cpu]->ask_for_rest();
  }
  return all;
}

/// Whether every CPU that came up has written down that it did: it does so just after the
/// swap that the CP acts on.
bool Lab::all_logged() {
  state_.trace.take_all();
  for (CpuIndex cpu = 1; cpu < machine_.cpus(); ++cpu) {
    const Standing of = state_.trace.standing(cpu);
    if (!of.online() || of.active >= of.up || faults_.holder(cpu) || faults_.has_written(cpu) ||
        state_.crashed(cpu, of.up))
      continue;
    if (state_.trace.lost(cpu) == 0)
      return false;
  }
  return true;
}

void Lab::report(const ProgressHook &progress) {
  const double now = state_.now_us();
  if (!progress || now - last_report_us_ < static_cast<double>(kReport.count()))
    return;
  last_report_us_ = now;
  std::vector<Word> words;
  for (CpuIndex cpu = 0; cpu < machine_.cpus(); ++cpu)
    words.push_back(machine_.control().word(cpu));
  const std::vector<CpuIndex> held = faults_.held();
  progress({now / 1000, words, held, state_.trace.cycle(), scenario_.bringup.cycles});
}

/// Gets every thread back. A thread that does not come within the bound is given up.
void Lab::stop() {
  state_.set_ending();
  const double give_up = state_.now_us() + kJoinBoundUs;
  const auto running = [](const auto &runner) {
    return runner != nullptr && runner->has_thread() && !runner->finished();
  };
  while (std::any_of(runners_.begin(), runners_.end(), running) && state_.now_us() < give_up) {
    for (const auto &runner : runners_)
      if (running(runner))
        runner->poke();
    state_.wait_for_news(kJoinLook);
  }
  all_joined_ = true;
  for (CpuIndex cpu = 0; cpu < machine_.cpus(); ++cpu) {
    if (!machine_.exists(cpu))
      continue;
    if (!running(runners_[cpu])) {
      runners_[cpu]->join();
      continue;
    }
    spdlog::error("the thread of vCPU {} does not come back from KVM_RUN", cpu);
    runners_[cpu]->detach();
    all_joined_ = false;
  }
}

Observation Lab::observe(RunEnd end) {
  state_.trace.take_all();
  Observation seen;
  seen.end = end;
  for (CpuIndex cpu = 0; cpu < machine_.cpus(); ++cpu)
    seen.cpus.push_back(observe(cpu));
  seen.faults = faults_.accounts();
  seen.firings = faults_.firings();
  const double zero = state_.zero_us().value_or(0);
  for (Firing &firing : seen.firings) {
    firing.began_us -= zero;
    firing.ended_us -= zero;
    firing.where = name_of_code(machine_, firing.rip);
  }
  seen.crashes = state_.crashes();
  for (CrashEvidence &crash : seen.crashes)
    crash.where = name_of_code(machine_, crash.rip);
  for (const StepView &step : machine_.control().steps())
    if (step.section < std::size(seen.steps.names))
      seen.steps.names[step.section].push_back(step.name);
  const ReportView report = machine_.control().report();
  seen.tsc_khz = std::max<std::uint32_t>(machine_.tsc_khz(), 1);
  seen.zero_tsc = report.zero_tsc;
  seen.decided_tsc = report.decided_tsc;
  seen.found_cpus = report.found_cpus;
  seen.bound_ms = bound_ms_;
  seen.end_detail = describe_end(seen, describe_refusal(report.refusal));
  if (all_joined_)
    state_.kept.observe(seen);
  else
    seen.kept_gap = "a vCPU still runs";
  seen.create_us = static_cast<double>(machine_.create_us());
  seen.boot_us = zero;
  return seen;
}

CpuObservation Lab::observe(CpuIndex cpu) {
  const SyncView sync = machine_.control().sync(cpu);
  CpuObservation seen;
  seen.presence = machine_.roster().presence(cpu);
  seen.apic_id = is_found(seen.presence) ? sync.apic_id : apic_id(cpu);
  seen.word = sync.word;
  seen.events = state_.trace.events(cpu);
  seen.lost_events = state_.trace.lost(cpu);
  const bool up =
      (cpu == 0 || state_.trace.standing(cpu).online()) && !state_.crashed(cpu) && !faults_.has_written(cpu);
  if (all_joined_ && !up && machine_.exists(cpu) && cpu < scenario_.bringup.max_cpus)
    seen.vcpu = snapshot(machine_, cpu, faults_.holder(cpu), runners_[cpu]->last_look());
  return seen;
}

} // namespace reveille::vmm
