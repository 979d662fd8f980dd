// INITs and SIPIs that the host delivers in place of the guest: now, later, or not at all.
#pragma once

#include "vmm/faults/courier.hpp"
#include "vmm/machine/machine.hpp"

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace reveille::vmm {

/// Any thread.
class Deliveries {
public:
  /// Is told of a CPU that an INIT has taken out when it was up.
  using Crashed = std::function<void(CpuIndex, std::string)>;

  Deliveries(Machine &machine, FaultEngine &faults, Crashed crashed)
      : machine_(machine), courier_(faults, machine.cpus()), crashed_(std::move(crashed)) {}

  /// What a CPU has sent: goes through the courier, and what comes of it is delivered.
  void send(const Parcel &sent, CpuIndex sender, double now_us);

  /// Delivers what is due; when the next one is. Nothing: there is none.
  std::optional<double> deliver_due(double now_us);

  /// Whether any is still to be delivered.
  [[nodiscard]] bool any_late() const;

private:
  struct Later {
    double due_us;
    Parcel parcel;
  };

  void deliver(const Parcel &parcel);

  Machine &machine_;
  Courier courier_;
  Crashed crashed_;
  mutable std::mutex mutex_; ///< guards later_
  std::vector<Later> later_;
};

} // namespace reveille::vmm
