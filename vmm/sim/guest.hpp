// The simulated guest: core's own code on simulated CPUs, as the real guest has it, with steps
// that work on simulated resources. Its trace is what an Observation is made of.
#pragma once

#include "core/ap.hpp"
#include "core/driver.hpp"
#include "vmm/scenario/roster.hpp"
#include "vmm/sim/environment.hpp"
#include "vmm/sim/latencies.hpp"
#include "vmm/sim/machine.hpp"
#include "vmm/sim/resources.hpp"
#include "vmm/sim/steps.hpp"
#include "vmm/sim/witness.hpp"

#include <optional>
#include <vector>

namespace reveille::vmm::sim {

using Seat = core::Seat<ControlEnvironment>;

/// Who is told what the control side decides, as it does.
class Listener {
public:
  virtual ~Listener() = default;
  /// The CPU has come up in that attempt, or gone down from it.
  virtual void has_decided(CpuIndex cpu, std::uint32_t attempt, bool up) = 0;
};

class Guest final : public Software {
public:
  /// The vector of the first of its abi::kPages trampoline pages, as the real guest has it in the
  /// lab's machine.
  static constexpr unsigned kFirstPage = 0x10;
  /// What the TSCs have counted before, so that one that is behind is not below zero.
  static constexpr std::uint64_t kTscAtPowerOn = 10 * kNsPerMs * 1000;

  /// `scenario` is by the guest's own numbers, which `roster` knows. What it is given must outlive it.
  Guest(const Scenario &scenario, const Roster &roster, Machine &machine, Listener &listener);

  // --- what the processors run

  Begun begin(CpuIndex index, unsigned vector) override;
  void run(CpuIndex cpu) override;
  void take_work(CpuIndex cpu) override;

  // --- what the host sees, and may do

  /// As the firmware has told it.
  [[nodiscard]] std::uint32_t apic_id(CpuIndex cpu) const { return cpus_[cpu].apic_id; }
  [[nodiscard]] std::uint64_t word(CpuIndex cpu) const { return cpus_[cpu].word.load(); }
  [[nodiscard]] std::uint32_t ordinal(CpuIndex cpu) const { return cpus_[cpu].ordinal; }
  [[nodiscard]] std::uint32_t cycle(CpuIndex cpu) const { return cpus_[cpu].cycle; }
  /// Called up, and not taken down or failed since.
  [[nodiscard]] bool online(CpuIndex cpu) const { return cpus_[cpu].online; }
  [[nodiscard]] std::uint32_t cycle() const { return cycle_; } ///< the one in progress; 0: none yet
  [[nodiscard]] Ns zero() const { return zero_; }              ///< 0: not yet
  [[nodiscard]] Ns decided_at() const { return decided_; }     ///< 0: not yet
  /// Whether CPU 0 has seen all that APs have told it.
  [[nodiscard]] bool has_served_all() { return !arrivals_.any(); }
  void arm(CpuIndex cpu, std::uint64_t places) { cpus_[cpu].armed = places; }
  /// What the step that `cpu` stands before, or behind, is to return.
  void set_step_error(CpuIndex cpu, int error) { cpus_[cpu].step_error = error; }
  /// What faults do to its memory: another word for a CPU, which returns the one before; the word of its
  /// previous attempt; and an event of garbage in its ring.
  std::uint64_t put_word(CpuIndex cpu, std::uint64_t bits) { return cpus_[cpu].word.exchange(bits); }
  [[nodiscard]] std::uint64_t kicked_from(CpuIndex cpu) const { return cpus_[cpu].kicked_from; }
  void put_garbage(CpuIndex cpu) { log(cpu, abi::kGarbageEvent); }
  /// What a CPU has written down, and how much more of it is not kept.
  [[nodiscard]] std::vector<abi::Event> take_events(CpuIndex cpu) { return std::move(cpus_[cpu].events); }
  [[nodiscard]] std::uint32_t lost_events(CpuIndex cpu) const { return cpus_[cpu].lost_events; }
  [[nodiscard]] std::uint32_t areas_in_use() const { return areas_.in_use(); }
  /// Starts that came to no claim, and what those that did have not found.
  [[nodiscard]] std::vector<RefusedStart> take_refused() { return std::move(refused_); }
  [[nodiscard]] std::vector<NotSeen> take_not_seen() { return std::move(not_seen_); }
  [[nodiscard]] CpuIndex cpus() const { return static_cast<CpuIndex>(cpus_.size()); }
  /// Of all that others can see of a CPU, of the arrival map.
  [[nodiscard]] std::uint64_t digest(CpuIndex cpu) const;
  [[nodiscard]] std::uint64_t arrivals_digest() const;

private:
  friend class EnvironmentBase;
  friend class ApEnvironment;
  friend class ControlEnvironment;
  friend class ControlArrivals;

  /// How many events are kept of CPU 0 and of each AP; what is older goes.
  struct Keep {
    std::size_t of_control;
    std::size_t of_ap;
  };

  /// An AP in one claimed attempt. Not on its stack, because an idle CPU has none.
  struct Ap {
    Ap(Guest &guest, CpuIndex cpu, core::Word claimed)
        : env(guest, cpu), side(env, claimed, guest.settings_) {}
    ApEnvironment env;
    core::ApSide<ApEnvironment> side;
    bool up = false; ///< and idle
  };

  struct Cpu {
    std::atomic<std::uint64_t> word = 0;
    std::atomic<std::uint64_t> lease = 0;
    TscLine tsc_ap;
    TscLine tsc_cp;
    std::array<std::uint32_t, abi::kPages> area_of_page{};
    Handed handed;             ///< with the last kick, for the machine to compare
    core::StepTarget mine;     ///< the attempt that it stands in, and its area; no token: it has left it
    std::uint32_t control = 0; ///< the CPU that brings it up
    std::uint32_t ordinal = 0;
    std::uint32_t cycle = 0;
    std::uint32_t lost_events = 0;
    std::uint64_t kicked_from = 0; ///< the word that its last kick found
    std::uint64_t armed = 0;       ///< bit n: the host is called at Place n
    int step_error = 0;
    std::uint32_t apic_id = 0;
    std::uint32_t primary = 0;   ///< of its core
    bool is_reachable = true;    ///< nobody before it is listed with its ID
    std::uint64_t tsc_ahead = 0; ///< of CPU 0's, ticks, modulo 2^64
    bool online = false;
    protocol::Point owed = protocol::Point::kAlive;
    std::optional<Ap> ap;
    std::vector<abi::Event> events;
  };

  void meet_cpus(const Roster &roster);
  void run_ap(Cpu &cpu);
  void stay_up(Cpu &cpu);
  [[noreturn]] void run_control();
  void log(CpuIndex writer, const abi::Event &event);
  void keep(CpuIndex writer, const abi::Event &event);
  void note(const abi::Event &event);
  void call_host_if_armed(CpuIndex actor, abi::Place place, CpuIndex target);
  [[nodiscard]] Handed handed(CpuIndex cpu, std::uint32_t attempt) const;
  void note_handed(CpuIndex cpu, std::uint32_t attempt) { cpus_[cpu].handed = handed(cpu, attempt); }
  Begun refuse(CpuIndex cpu, std::string touched);

  const Scenario &scenario_;
  Machine &machine_;
  Listener &listener_;
  Keep keep_;
  Latencies latencies_;
  core::Settings settings_;
  Steps steps_;
  Areas areas_;
  Arrivals arrivals_;
  std::vector<Cpu> cpus_;
  std::vector<Seat> seats_;
  ControlEnvironment control_;
  core::Driver<ControlEnvironment> driver_;
  std::vector<RefusedStart> refused_;
  std::vector<NotSeen> not_seen_;
  std::uint32_t cycle_ = 0;
  Ns zero_ = 0;
  Ns decided_ = 0;
};

} // namespace reveille::vmm::sim
