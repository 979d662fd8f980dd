// What becomes of the INITs and SIPIs that start CPUs and stop them, on their way.
#pragma once

#include "vmm/faults/engine.hpp"

#include <cstdint>
#include <mutex>
#include <vector>

namespace reveille::vmm {

/// An INIT or a SIPI.
struct Parcel {
  CpuIndex to = 0;
  bool is_init = false;
  std::uint8_t vector = 0; ///< of a SIPI: the page that the CPU starts on
  double after_ms = 0;     ///< how much later than now it is delivered
};

/// Finds out which delivery a parcel is, and does to it what the faults want. Any thread.
class Courier {
public:
  /// The engine must outlive it.
  Courier(FaultEngine &faults, CpuIndex cpus) : faults_(faults), kicks_(cpus) {}

  /// Who it is for, as the control side sees it now.
  struct Addressee {
    std::uint64_t word = 0; ///< its sync word, any bits
    AttemptOf attempt{};
  };

  /// `sent` has come from `sender`; what is to be delivered in its place, in that order.
  [[nodiscard]] std::vector<Parcel> route(const Parcel &sent, CpuIndex sender, const Addressee &addressee,
                                          double now_us);

private:
  /// How far the INIT, SIPI, SIPI of a CPU has come.
  struct Kick {
    unsigned sipis = 0;
    bool init_is_kept = false; ///< until behind the first SIPI
  };

  Delivery classify(const Parcel &sent, std::uint64_t word);
  void strike(const FaultSpec &fault, std::vector<Parcel> &parcels);

  FaultEngine &faults_;
  std::mutex mutex_; ///< guards what follows
  std::vector<Kick> kicks_;
};

} // namespace reveille::vmm
