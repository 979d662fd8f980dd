// The machine of one run after the other: built, or put back into the state that the next run needs.
#pragma once

#include "vmm/machine/machine.hpp"
#include "vmm/machine/machine_state.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace reveille::vmm {

/// How the machine of a run came to be.
enum class MachineStart : std::uint8_t {
  kNew,   ///< built for it
  kAgain, ///< used before, and put back into the state of a new one
  kZero,  ///< used before, and put back to where CPU 0 stands at time zero
};

/// As results have it; empty of a new one.
[[nodiscard]] constexpr std::string_view name(MachineStart start) {
  return start == MachineStart::kAgain ? "again" : start == MachineStart::kZero ? "zero" : "";
}

/// Has one machine at a time. It is used again for a run with the same machine and the same guest, unless
/// faults of either are at "firmware" (they make another machine), or the run before it did not end as runs
/// do. A machine that goes is destroyed on another thread: KVM takes its time for that. One thread at a time.
class MachineStock {
public:
  /// `keeps`: whether there will be further runs at all.
  explicit MachineStock(bool keeps) : keeps_(keeps) {}
  ~MachineStock();
  MachineStock(const MachineStock &) = delete;
  MachineStock &operator=(const MachineStock &) = delete;

  /// The machine while a run has it. What refers to the machine must be gone before this is: then it may be
  /// destroyed at once.
  class Lease {
  public:
    Lease(Lease &&other) noexcept
        : stock_(std::exchange(other.stock_, nullptr)), is_sound_(other.is_sound_) {}
    Lease &operator=(Lease &&) = delete;
    ~Lease() {
      if (stock_ != nullptr)
        stock_->give_back(is_sound_);
    }

    [[nodiscard]] Machine &machine() const { return stock_->stocked_->machine; }
    /// The run has ended as runs do, and no vCPU runs: else the machine is not used again.
    void note_sound() { is_sound_ = true; }

  private:
    friend class MachineStock;
    explicit Lease(MachineStock &stock) : stock_(&stock) {}

    MachineStock *stock_;
    bool is_sound_ = false;
  };

  /// The machine for a run of `scenario`. Fails as Machine::build does. One lease at a time.
  [[nodiscard]] Result<Lease> take(const Scenario &scenario, const std::string &guest_path,
                                   Machine::Interrupted interrupted);

  /// Of the machine that was taken last.
  [[nodiscard]] MachineStart start() const { return start_; }

  /// For CPU 0's thread at the doorbell of time zero: keeps where it stands for further runs.
  void note_zero(const Scenario &scenario);

private:
  struct Stocked {
    std::string kind; ///< what its runs have in common
    GuestImage image;
    Machine machine;
    std::optional<MachineState> as_built; ///< nothing: it is not used again
    std::optional<ZeroPoint> zero;
  };

  [[nodiscard]] bool put_back(const Scenario &scenario);
  void give_back(bool is_sound);
  void discard();

  bool keeps_;
  std::unique_ptr<Stocked> stocked_;
  MachineStart start_ = MachineStart::kNew;
  /// Joined without a bound: it does nothing but close files and unmap memory, and no thread runs a vCPU of
  /// that machine any more (run_command.cpp ends the process if one does). Whoever did not wait for it would
  /// wait for the same in the kernel, at the end of the process.
  std::thread destroyer_;
};

} // namespace reveille::vmm
