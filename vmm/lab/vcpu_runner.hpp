// The host thread of one vCPU: runs it, answers its exits, and does to it what the faults
// want.
#pragma once

#include "vmm/lab/run_state.hpp"
#include "vmm/lab/snapshot.hpp"
#include "vmm/lab/stops.hpp"
#include "vmm/lab/throttle.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace reveille::vmm {

class VcpuRunner {
public:
  VcpuRunner(RunState &state, CpuIndex cpu);
  ~VcpuRunner();
  VcpuRunner(const VcpuRunner &) = delete;
  VcpuRunner &operator=(const VcpuRunner &) = delete;

  /// Where it is to be stopped, before start().
  void stop_at(Stops stops) { stops_ = std::move(stops); }

  /// Starts the thread. Fails with kUnsupported when the host has none left.
  [[nodiscard]] Result<void> start();

  /// Any thread: has the vCPU's thread come out and perform a strike that is due by time.
  void post(const Strike &strike);

  /// Any thread: has it look whether the vCPU waits for an INIT or a SIPI, or halts; the
  /// answer is at_rest() a moment later.
  void ask_for_rest();
  [[nodiscard]] bool at_rest() const { return at_rest_.load(); }

  /// Another vCPU's thread: has the thread note where the vCPU is, before an INIT makes it forget. Nothing
  /// is noted if it does not come out of KVM_RUN within `most_us`, microseconds.
  void have_it_look(double most_us);

  /// Where it was when a fault last took hold of it, when it died or panicked, or when it was about to be
  /// stopped; the last of these. When there is no thread.
  [[nodiscard]] const std::optional<Look> &last_look() const { return last_look_; }

  /// Any thread: makes the thread look at RunState::ending().
  void poke();

  /// Whether there is a thread that has not been joined or given up.
  [[nodiscard]] bool has_thread() const { return thread_.joinable(); }
  [[nodiscard]] bool started() const { return started_.load(); }
  [[nodiscard]] bool finished() const { return finished_.load(); }
  /// Strikes that were posted and that have not begun yet.
  [[nodiscard]] bool has_post() const;
  void join();
  /// Gives the thread up; the process must not outlive that for long.
  void detach();

private:
  enum class HoldKind : std::uint8_t { kSpin, kFreeze }; ///< takes an INIT; does not
  /// By what a vCPU that is held is known to be the one that it was.
  struct Mark {
    kvm_debugregs before;
    bool waited_for_sipi;
  };

  void thread_main();
  bool go_round();
  void serve_mailbox();
  // In vcpu_stops.cpp: at instructions and at exits.
  [[nodiscard]] Result<void> arm_stops();
  bool at_instruction(std::uint64_t pc);
  bool send_in_its_place();
  bool step_over();
  void count_exit(const Exit &exit);
  bool perform_all(const std::vector<Strike> &strikes);
  void look_for_rest();
  /// True when the vCPU is to be run on.
  bool handle(const Exit &exit);
  void ring(std::uint32_t value);
  void end_cycle(abi::Ring what);
  void reach(abi::Place place, CpuIndex target);
  void reach_zero();
  [[nodiscard]] bool controls(CpuIndex target) const;
  // In vcpu_looks.cpp.
  void look_if_wanted();
  void look(std::optional<std::uint64_t> panic_rip = {});
  void before_stop(CpuIndex target);
  void note_panic();
  // In vcpu_strikes.cpp.
  /// False when the strike took the vCPU away from where it was: what follows is void.
  bool perform(const Strike &strike);
  bool hold_for(const FaultSpec &fault, FiringId firing);
  HoldEnd strike_at_once(const FaultSpec &fault, CpuIndex target);
  HoldEnd hold(double duration_ms, HoldKind kind);
  std::optional<Mark> mark_as_held();
  bool has_been_reset(const Mark &mark);
  void crash(FiringId firing);
  void jump(const CodePlace &target);
  bool wait_a_little(double us);
  bool may_try_again();
  void shut_down(const std::string &what);
  void complete_io();
  [[nodiscard]] std::uint32_t attempt_of(CpuIndex cpu) const;

  RunState &state_;
  CpuIndex cpu_;
  Processor &processor_; ///< runs the vCPU, and knows what it waits for
  Vcpu &vcpu_;
  std::optional<FiringId> crashing_; ///< the firing that the next shutdown belongs to
  std::optional<Look> last_look_;
  Stops stops_;
  Throttle throttle_;
  std::uint32_t exits_ = 0;                ///< to the host, without those that the host has caused
  unsigned second_tries_ = 0;              ///< that KVM's emulator was given
  std::optional<std::uint64_t> failed_at_; ///< linear address of what KVM's emulator has just failed at
  unsigned odd_rings_ = 0;                 ///< logged so far
  std::atomic<bool> started_ = false;
  std::atomic<bool> finished_ = false;
  std::atomic<bool> rest_wanted_ = false;
  std::atomic<bool> at_rest_ = false;
  double looking_us_ = 0;    ///< that it has waited for others to look
  mutable std::mutex mutex_; ///< guards what follows, but the thread
  std::condition_variable poked_cv_;
  bool poked_ = false;
  std::deque<Strike> mailbox_;
  bool look_wanted_ = false;
  std::condition_variable looked_cv_;
  std::thread thread_;
};

} // namespace reveille::vmm
