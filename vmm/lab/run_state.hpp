// What the threads of a run share: the coordinator's, and one for each vCPU.
#pragma once

#include "vmm/faults/engine.hpp"
#include "vmm/judge/observation.hpp"
#include "vmm/lab/deliveries.hpp"
#include "vmm/lab/kept.hpp"
#include "vmm/lab/trace.hpp"
#include "vmm/machine/machine.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace reveille::vmm {

using LabClock = std::chrono::steady_clock;

class RunState {
public:
  RunState(Machine &of_machine, FaultEngine &of_faults, const Scenario &scenario)
      : machine(of_machine), faults(of_faults), trace(of_machine.control(), of_faults, scenario),
        deliveries(of_machine, of_faults,
                   [this](CpuIndex cpu, std::string what) {
                     note_crash({cpu, machine.control().word(cpu).attempt, std::move(what), 0, ""});
                   }),
        kept(of_machine) {}

  Machine &machine;
  FaultEngine &faults;
  Trace trace;
  Deliveries deliveries;
  bool starts_at_zero = false;   ///< before it starts: CPU 0 stands at time zero already
  std::function<void()> on_zero; ///< may be empty; CPU 0's thread calls it when the guest comes to time zero
  /// Has the thread of a vCPU that exists note where it is, and waits for that so long at most, microseconds.
  /// Any other vCPU's thread calls it.
  std::function<void(CpuIndex, double most_us)> look;
  KeptWatch kept; ///< begun by CPU 0's thread, observed when there is none any more

  /// Microseconds since the run began, by the host's clock.
  [[nodiscard]] double now_us() const {
    return std::chrono::duration<double, std::micro>(LabClock::now() - began_).count();
  }

  /// Every thread is to come to its end.
  [[nodiscard]] bool ending() const { return ending_.load(std::memory_order_acquire); }
  void set_ending() { ending_.store(true, std::memory_order_release); }

  /// CPU 0 says that the control side enters bring-up. The first call counts.
  void note_zero();
  [[nodiscard]] std::optional<double> zero_us() const;

  /// The strikes that are due at time zero have begun; CPU 0 waits for that.
  void note_zero_served() { zero_served_.store(true, std::memory_order_release); }
  [[nodiscard]] bool zero_served() const { return zero_served_.load(std::memory_order_acquire); }

  /// CPU 0 says that every CPU is decided; that the guest refuses this machine.
  void note_decided();
  void note_refused();
  [[nodiscard]] bool decided() const { return decided_.load(); }
  [[nodiscard]] bool refused() const { return refused_.load(); }

  /// A vCPU has died. CPU 0's death is the end of the run. False when that much was known already.
  bool note_crash(CrashEvidence evidence);
  [[nodiscard]] std::vector<CrashEvidence> crashes() const;
  [[nodiscard]] bool crashed(CpuIndex cpu, std::optional<std::uint32_t> attempt = {}) const;

  /// The coordinator waits here for any of the above, or for `longest`.
  void wait_for_news(std::chrono::microseconds longest);
  void tell();

private:
  LabClock::time_point began_ = LabClock::now();
  std::atomic<bool> ending_ = false;
  std::atomic<bool> decided_ = false;
  std::atomic<bool> refused_ = false;
  std::atomic<bool> zero_served_ = false;
  mutable std::mutex mutex_; ///< guards what follows
  std::condition_variable news_cv_;
  bool news_ = false;
  std::optional<double> zero_us_;
  std::vector<CrashEvidence> crashes_;
};

} // namespace reveille::vmm
