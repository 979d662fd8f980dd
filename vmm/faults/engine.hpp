// The fault engine: which faults strike at a place, and what has become of each. It knows
// nothing of KVM: the lab's threads ask it what to do to their vCPU, do it, and tell.
#pragma once

#include "core/abi/word.hpp"
#include "vmm/faults/account.hpp"
#include "vmm/scenario/roster.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace reveille::vmm {

/// Something to be done to a vCPU now.
struct Strike {
  std::size_t fault;     ///< index in Scenario::faults
  CpuIndex cpu;          ///< the CPU that the fault lists
  const FaultSpec *spec; ///< what to do; lives as long as the engine
};

/// Which attempt a CPU is in, as its sync line has it.
struct AttemptOf {
  std::uint32_t ordinal; ///< within the cycle, from 1
  std::uint32_t cycle;   ///< from 1
};

/// A strike that is due at a time.
struct TimedStrike {
  double ms; ///< after time zero
  Strike strike;
};

/// Names one firing, to tell the engine how it went on.
using FiringId = std::size_t;

/// Which numbers the engine is asked by, and answers with: in the lab those that the scenario has, on the
/// simulated machine those that its guest gives (vmm/scenario/roster.hpp).
enum class CpuNumbers : std::uint8_t { kScenario, kGuest };

/// All functions may be called by any thread. Faults at "firmware" have fired, and are seen through, when
/// it is made: the machine is built with them.
class FaultEngine {
public:
  /// `scenario` as it is written, and its roster. By whichever numbers: chances are drawn by the scenario's
  /// own, so that a seed means the same to all.
  FaultEngine(const Scenario &scenario, const Roster &roster, CpuNumbers numbers = CpuNumbers::kScenario);

  /// The places of `cpu` where the guest must call the host, as HostLine::armed has them. Of CPU
  /// 0 always time zero.
  [[nodiscard]] std::uint64_t armed(CpuIndex cpu) const;

  /// What strikes `cpu` at a place in an attempt, in file order. Asking does not count: the
  /// caller performs one after the other and says so.
  [[nodiscard]] std::vector<Strike> at(CpuIndex cpu, abi::Place place, AttemptOf attempt) const;

  /// The same for a delivery to `cpu`, and for its Nth exit to the host.
  [[nodiscard]] std::vector<Strike> at(CpuIndex cpu, Delivery what, AttemptOf attempt) const;
  [[nodiscard]] std::vector<Strike> at_exit(CpuIndex cpu, std::uint32_t number) const;

  /// What strikes `cpu` at an instruction, in file order, whatever the attempt; and whether it does in
  /// that one.
  [[nodiscard]] std::vector<Strike> at_code(CpuIndex cpu) const;
  [[nodiscard]] static bool is_meant(const Strike &strike, AttemptOf attempt);

  [[nodiscard]] bool has_deliveries() const; ///< any fault is about an INIT or a SIPI
  [[nodiscard]] bool has_exits(CpuIndex cpu) const;

  /// What strikes by time, in the order of their times. Nothing strikes a CPU that is not there.
  [[nodiscard]] std::vector<TimedStrike> timed() const;

  /// A strike is being performed on a vCPU; `word`: its CPU's sync word. Nothing if it has
  /// fired as often as it may: another thread was first, or the guest says that it was
  /// somewhere too often. Nothing, too, if its probability is against it: by the seed, the fault,
  /// the CPU, and which chance it is.
  [[nodiscard]] std::optional<FiringId> begin(const Strike &strike, CpuIndex vcpu, std::uint64_t word,
                                              double now_us);

  /// Where the vCPU stands that it strikes, linear address.
  void note_rip(FiringId firing, std::uint64_t rip);

  /// The host has written into guest memory: the sync word of the CPU that it strikes.
  void note_write(FiringId firing, WordWrite write);
  /// Whether it ever has, for this CPU.
  [[nodiscard]] bool has_written(CpuIndex cpu) const;

  /// How it ended.
  void end(FiringId firing, HoldEnd how, double now_us);

  /// What holds or has crashed a CPU at the moment, if anything does.
  [[nodiscard]] std::optional<std::size_t> holder(CpuIndex cpu) const;
  [[nodiscard]] unsigned holding() const;           ///< CPUs held now
  [[nodiscard]] std::vector<CpuIndex> held() const; ///< which, by number

  /// What the end of a run depends on, of one CPU.
  struct CpuState {
    bool decided = false;   ///< for good: out, or the run is
    bool online = false;    ///< decided so
    std::uint64_t word = 0; ///< its sync word, any bits
    AttemptOf attempt{};    ///< the last
    bool at_rest = false;   ///< the host has seen that it waits for an INIT or SIPI, or halts for ever
  };

  /// Looks whether the faults of one CPU are seen through (design, "End of run"): each one
  /// released with its CPU active, parked, claimed again, reset or dead; or endless with its
  /// CPU decided; or no longer able to fire. Remembers what was.
  bool see_through(CpuIndex cpu, const CpuState &state);

  /// Firings of `cpu` that were released, and of which neither the word nor the vCPU has
  /// shown yet what it made of them; or that are to crash it, and wait for an instruction.
  [[nodiscard]] bool wants_rest(CpuIndex cpu) const;

  /// The host has seen that a released CPU took an INIT.
  void took_init(CpuIndex cpu);

  /// What was decided on an attempt: kActive or kDead. For the firings in it that were released
  /// by then; the sync word alone may have moved on to the next cycle.
  void tell(CpuIndex cpu, std::uint32_t attempt, Aftermath decision);

  [[nodiscard]] std::vector<FaultAccount> accounts() const;
  [[nodiscard]] std::vector<Firing> firings() const;
  [[nodiscard]] bool strikes(CpuIndex cpu) const; ///< any fault lists this CPU

private:
  struct Entry { // a fault on one of its CPUs
    std::size_t fault;
    const FaultSpec *spec;
    CpuIndex drawn_by; ///< the scenario's CPU
    FaultAccount account;
    std::uint32_t chances = 0;      ///< taken, or let pass by its probability
    std::uint32_t last_attempt = 0; ///< of its last chance
  };
  struct OfCpu {
    bool exists = true;
    std::vector<Entry> entries;           ///< in file order
    std::vector<FiringId> open;           ///< not seen through; runs of many cycles have many that are
    std::optional<FiringId> holder;       ///< holds it now, or has crashed it
    std::optional<std::uint64_t> written; ///< what the host has last made of its word
  };

  template <class Place, class Is> [[nodiscard]] std::vector<Strike> strikes_at(CpuIndex cpu, Is &&is) const;
  void account_for_firmware(Entry &entry);
  [[nodiscard]] bool take_chance(Entry &entry) const;
  [[nodiscard]] bool wants_aftermath(const Firing &firing) const;
  void look(Firing &firing, const CpuState &state, bool is_stopped) const;
  [[nodiscard]] bool may_still_fire(const Entry &entry, const CpuState &state, bool is_held) const;

  std::uint64_t seed_;
  std::vector<FaultSpec> specs_;
  std::vector<OfCpu> cpus_;
  mutable std::mutex mutex_; ///< guards what the CPUs have but their entries' specs, and what follows
  std::vector<Firing> firings_;
  unsigned holding_ = 0;
};

} // namespace reveille::vmm
