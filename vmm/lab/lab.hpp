// One run: the machine, its threads, the watch over them, and what was seen.
#pragma once

#include "vmm/lab/vcpu_runner.hpp"
#include "vmm/report/progress.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace reveille::vmm {

/// Called now and then while a run goes on.
using ProgressHook = std::function<void(const ProgressView &)>;

/// Where a machine stands when its run begins.
struct LabStart {
  bool at_zero = false; ///< CPU 0 stands at time zero, behind its call; else at the guest's entry
  /// CPU 0's thread calls it when the guest comes to time zero by itself, before anything else is done there.
  std::function<void()> on_zero = {};
};

class Lab {
public:
  /// `scenario` must outlive the lab.
  Lab(const Scenario &scenario, Machine &machine, LabStart start = {});
  ~Lab();
  Lab(const Lab &) = delete;
  Lab &operator=(const Lab &) = delete;

  /// Starts the vCPUs, watches them until the end of the run, and stops them. Fails with
  /// kUnsupported when the host has no threads left for them or lets them not run, with kUsage when the
  /// scenario names an instruction that the guest does not have.
  [[nodiscard]] Result<Observation> run(const ProgressHook &progress);

  /// Whether every thread came back at the end of run(). If not, the machine must not be
  /// destroyed: the process has to end by itself.
  [[nodiscard]] bool all_joined() const { return all_joined_; }

private:
  [[nodiscard]] Result<void> start();
  [[nodiscard]] Result<void> wait_for_threads();
  [[nodiscard]] Result<void> find_instructions();
  [[nodiscard]] ApicBus::Interceptor interceptor();
  [[nodiscard]] RunEnd watch(const ProgressHook &progress);
  [[nodiscard]] std::optional<RunEnd> ended();
  [[nodiscard]] std::chrono::microseconds until_next_look() const;
  void stop();
  void deliver_timed();
  void take_events();
  [[nodiscard]] bool all_seen_through();
  [[nodiscard]] bool all_logged();
  [[nodiscard]] bool control_is_done();
  void report(const ProgressHook &progress);
  [[nodiscard]] Observation observe(RunEnd end);
  [[nodiscard]] CpuObservation observe(CpuIndex cpu);

  const Scenario &scenario_;
  Machine &machine_;
  FaultEngine faults_;
  RunState state_;
  std::vector<std::unique_ptr<VcpuRunner>> runners_; ///< by CPU; null of a ghost
  std::vector<TimedStrike> timed_;         ///< not yet delivered, the last one first; to vCPUs that exist
  std::uint64_t control_events_ = 0;       ///< taken from CPU 0's ring
  double last_event_us_ = 0;               ///< when the last of them was seen
  double last_take_us_ = 0;                ///< when all rings were last emptied
  std::optional<double> next_delivery_us_; ///< of those that are late
  double bound_ms_;
  double last_report_us_ = 0;
  bool all_joined_ = false;
};

} // namespace reveille::vmm
