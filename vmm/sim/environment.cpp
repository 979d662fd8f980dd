#include "vmm/sim/environment.hpp"

#include "core/abi/panic.hpp"
#include "core/protocol/places.hpp"
#include "vmm/sim/guest.hpp"

#include <algorithm>

namespace reveille::vmm::sim {

static_assert(core::ApEnvironment<ApEnvironment>);

namespace {

constexpr Ns kRelax = 100;     // one turn of a spin
constexpr Ns kSeesStore = 100; // what a spinning CPU needs to see another's store

} // namespace

std::atomic<std::uint64_t> &EnvironmentBase::word(unsigned cpu) { return guest_.cpus_[cpu].word; }
std::atomic<std::uint64_t> &EnvironmentBase::lease(unsigned cpu) { return guest_.cpus_[cpu].lease; }
TscLine &EnvironmentBase::tsc_ap(unsigned cpu) { return guest_.cpus_[cpu].tsc_ap; }
TscLine &EnvironmentBase::tsc_cp(unsigned cpu) { return guest_.cpus_[cpu].tsc_cp; }
std::uint64_t EnvironmentBase::now() {
  return Guest::kTscAtPowerOn + guest_.machine_.now() + guest_.cpus_[self_].tsc_ahead;
}

void EnvironmentBase::log(abi::EventKind kind, unsigned cpu, std::uint32_t attempt, std::uint64_t a,
                          std::uint64_t b) {
  abi::Event event{};
  event.tsc = guest_.machine_.now(); // all by one clock, as the host has it
  event.attempt = attempt;
  event.cpu = cpu;
  event.a = a;
  event.b = b;
  event.kind = kind;
  event.flags = guest_.machine_.interrupts_on(self_) ? abi::kFlagInterruptsOn : std::uint8_t{0};
  guest_.log(self_, event);
}

unsigned EnvironmentBase::step_count(core::Section section) { return guest_.steps_.count(section); }

const core::StepInfo &EnvironmentBase::step_info(core::Section section, unsigned i) {
  return guest_.steps_.at(section, i).info;
}

int EnvironmentBase::start_step(core::Section section, unsigned i, core::StepTarget &target) {
  const unsigned number = guest_.steps_.number(section, i);
  if (const int error = ask_host(number, false, target.cpu); error != 0)
    return error;
  spend(guest_.latencies_.to(target.cpu, abi::step_place(number, false), target.attempt));
  const int error = guest_.steps_.at(number).body.start(*this, target);
  return error != 0 ? error : ask_host(number, true, target.cpu);
}

void EnvironmentBase::undo_step(core::Section section, unsigned i, core::StepTarget &target) {
  const unsigned number = guest_.steps_.number(section, i);
  spend(guest_.latencies_.to(target.cpu, abi::step_place(number, false), ~std::uint64_t{target.attempt}));
  guest_.steps_.at(number).body.undo(*this, target);
}

/// What the host has a step of `cpu` return, 0 if it does not care.
int EnvironmentBase::ask_host(unsigned number, bool done, CpuIndex cpu) {
  Guest::Cpu &of = guest_.cpus_[cpu];
  of.step_error = 0;
  guest_.call_host_if_armed(self_, abi::step_place(number, done), cpu);
  return of.step_error;
}

void EnvironmentBase::wake(unsigned cpu) {
  const bool spins = guest_.scenario_.bringup.wait == abi::Wait::kSpin;
  guest_.machine_.wake(cpu, spins ? kSeesStore : guest_.latencies_.of(Span::kIpi, cpu, word(cpu).load()));
}

void EnvironmentBase::relax() { spend(kRelax); }
void EnvironmentBase::spend(Ns time) { guest_.machine_.spend(self_, time); }
void EnvironmentBase::halt(Ns deadline) {
  const Ns ahead = now() - guest_.machine_.now();
  guest_.machine_.halt(self_, deadline == kNever ? kNever : deadline - std::min(deadline, ahead));
}

Area &EnvironmentBase::area(const core::StepTarget &target) {
  Area *area = guest_.areas_.find(target);
  if (area == nullptr)
    panic("an area is used that is not, or not any more, that attempt's");
  return *area;
}

std::uint32_t EnvironmentBase::take_area(const core::StepTarget &target) {
  return guest_.areas_.take(target);
}

void EnvironmentBase::put_area(const core::StepTarget &target) {
  if (!guest_.areas_.put(target))
    panic("an area is given back by an attempt that does not have it");
}

void EnvironmentBase::send_work() {
  guest_.machine_.send_work(self_, guest_.latencies_.of(Span::kIpi, self_, word(self_).load()));
}

std::uint64_t EnvironmentBase::timeout() const { return guest_.settings_.timeout; }

void EnvironmentBase::panic(const char *why) {
  const Guest::Cpu &cpu = guest_.cpus_[self_];
  log(abi::EventKind::kPanic, self_, cpu.mine.attempt, 0,
      abi::panicked(abi::kBrokenInvariant, static_cast<unsigned>(cpu.owed), 0));
  guest_.machine_.panic(self_, why);
}

// --- the AP

unsigned ApEnvironment::control_cpu() const { return guest_.cpus_[self_].control; }
std::uint32_t ApEnvironment::token() const { return guest_.cpus_[self_].mine.token; }

void ApEnvironment::at(abi::Place place) {
  Guest::Cpu &me = guest_.cpus_[self_];
  me.owed = protocol::owed_behind(place);
  static_cast<void>(area(me.mine)); // it stands on it
  spend(guest_.latencies_.to(self_, place, me.mine.attempt));
  guest_.call_host_if_armed(self_, place, self_);
}

Arrivals &ApEnvironment::arrivals() { return guest_.arrivals_; }

void ApEnvironment::put_failure(unsigned step, int error) {
  area(guest_.cpus_[self_].mine).failure = {step, error};
}

void ApEnvironment::enter_idle() { guest_.machine_.set_interrupts(self_, true); }
void ApEnvironment::idle_away() { guest_.machine_.idle_away(self_); }
void ApEnvironment::leave_idle() { guest_.machine_.set_interrupts(self_, false); }

// --- the CP

Arrivals &ControlArrivals::map() { return guest_.arrivals_; }
bool ControlArrivals::raise(unsigned cpu) { return map().raise(cpu); }
bool ControlArrivals::any() { return map().any(); }

void ControlArrivals::serve(CpuIndex cpu) {
  guest_.machine_.spend(self_, guest_.latencies_.of(Span::kServe, cpu, guest_.word(cpu)));
}

void ControlEnvironment::at_kick(unsigned cpu) { guest_.call_host_if_armed(self_, abi::Place::kKick, cpu); }

void ControlEnvironment::publish_attempt(const core::StepTarget &target, std::uint32_t ordinal,
                                         std::uint32_t cycle) {
  Guest::Cpu &cpu = guest_.cpus_[target.cpu];
  cpu.area_of_page[target.attempt % abi::kPages] = target.token;
  cpu.ordinal = ordinal;
  cpu.cycle = cycle;
}

void ControlEnvironment::publish_control(unsigned cpu) { guest_.cpus_[cpu].control = self_; }
void ControlEnvironment::freeze_steps(bool frozen) { guest_.steps_.freeze(frozen); }

unsigned ControlEnvironment::primary_of(unsigned cpu) const { return guest_.cpus_[cpu].primary; }

void ControlEnvironment::kick(unsigned cpu, std::uint32_t attempt) {
  if (!guest_.cpus_[cpu].is_reachable) // it would be someone else who is started
    return;
  guest_.note_handed(cpu, attempt);
  const Ns start = guest_.latencies_.of(Span::kWake, cpu, attempt);
  const auto vector = static_cast<std::uint8_t>(Guest::kFirstPage + attempt % abi::kPages);
  guest_.machine_.send(self_, {.to = cpu, .is_init = true}, 0);
  spend(guest_.latencies_.to(cpu, abi::Place::kKick, attempt));
  for (int i = 0; i < 2; ++i)
    guest_.machine_.send(self_, {.to = cpu, .vector = vector}, start);
}

void ControlEnvironment::stop(unsigned cpu, std::uint32_t attempt) {
  if (!guest_.cpus_[cpu].is_reachable)
    return;
  spend(guest_.latencies_.of(Span::kStop, cpu, attempt));
  guest_.machine_.send(self_, {.to = cpu, .is_init = true}, 0);
}

core::Failure ControlEnvironment::failure(const core::StepTarget &target) { return area(target).failure; }

void ControlEnvironment::serve_one() {
  spend(guest_.latencies_.of(Span::kServe, self_, lease(self_).load()));
}

} // namespace reveille::vmm::sim
