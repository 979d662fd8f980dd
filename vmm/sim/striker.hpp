// The faults of a scenario, done to simulated processors: what the lab's threads do to theirs.
#pragma once

#include "vmm/faults/courier.hpp"
#include "vmm/judge/observation.hpp"
#include "vmm/sim/guest.hpp"

#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace reveille::vmm::sim {

class Striker final : public Host, public Listener {
public:
  Striker(const Scenario &scenario, FaultEngine &faults);

  /// Once, before the machine runs: the machine, and the guest whose places are armed.
  void watch(Machine &machine, Guest &guest);

  // --- Host
  void at_place(CpuIndex actor, abi::Place place, CpuIndex target) override;
  void was_reset(CpuIndex cpu) override;
  bool may_begin(CpuIndex cpu) override;
  void is_due(CpuIndex cpu) override;
  void send(CpuIndex sender, const Parcel &sent, Ns latency) override;
  void panicked(CpuIndex cpu, const char *why) override;
  // --- Listener
  void has_decided(CpuIndex cpu, std::uint32_t attempt, bool up) override;

  /// Whether every strike that is due at a time has been given to its CPU.
  [[nodiscard]] bool all_posted() const { return timed_.empty() && later_.empty(); }
  [[nodiscard]] bool control_died() const { return control_died_; }
  /// Whether the CPU has crashed, in whichever attempt.
  [[nodiscard]] bool crashed(CpuIndex cpu) const { return crashed_.contains(cpu); }
  [[nodiscard]] bool crashed(CpuIndex cpu, std::uint32_t attempt) const;
  [[nodiscard]] const std::vector<CrashEvidence> &crashes() const { return crashes_; }

private:
  struct Job {
    Strike strike;
    bool posted; ///< by time; else the CPU stands at a place
  };

  /// What is being done to one CPU.
  struct Station {
    std::deque<Job> jobs;           ///< the first is the one in work, if one is
    std::optional<FiringId> firing; ///< of it
    Ns until = kNever;              ///< when its hold ends
    bool crash_waits = false;       ///< until the CPU has an instruction to crash at
  };

  /// A delivery that is late.
  struct Later {
    Ns due;
    Parcel parcel;
    Ns latency;
  };

  void deliver(const Parcel &parcel, Ns latency);
  void deliver_due(CpuIndex cpu);
  void reach_zero();
  void post(const Strike &strike);
  void go_through(CpuIndex cpu);
  /// True: it is over, or nothing has come of it.
  bool perform(CpuIndex cpu, Station &station, const Strike &strike);
  void hold(CpuIndex cpu, Station &station, const FaultSpec &fault);
  void write_word(CpuIndex cpu, FiringId firing, std::uint64_t bits);
  bool begin_crash(CpuIndex cpu, Station &station);
  void reset(CpuIndex cpu, Station &station);
  void crash(CpuIndex cpu, Station &station);
  void end(Station &station, HoldEnd how);
  void forget_place(Station &station);
  void note_crash(CpuIndex cpu, std::string what);
  [[nodiscard]] double now_us() const;

  const Scenario &scenario_;
  FaultEngine &faults_;
  Courier courier_;
  std::vector<Later> later_;
  Machine *machine_ = nullptr;
  Guest *guest_ = nullptr;
  std::unordered_map<CpuIndex, Station> stations_; ///< of CPUs that something has been done to
  std::vector<TimedStrike> timed_;                 ///< the first due is the last
  Ns zero_ = 0;
  std::vector<CrashEvidence> crashes_;
  std::unordered_set<CpuIndex> crashed_;
  bool control_died_ = false;
};

} // namespace reveille::vmm::sim
