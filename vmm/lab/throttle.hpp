// A vCPU that gets only a share of its time.
#pragma once

#include <ctime>

#include <cstdint>
#include <limits>

namespace reveille::vmm {

/// Of one vCPU, for the thread that runs it. In each period of 10 ms the vCPU runs for its share, and
/// then rests; a timer that signals the thread ends the share.
class Throttle {
public:
  Throttle() = default;
  ~Throttle();
  Throttle(const Throttle &) = delete;
  Throttle &operator=(const Throttle &) = delete;

  /// From now on, for so long (0: for ever), it gets `percent` (1..99) of its time.
  void set(std::uint32_t percent, double duration_ms, double now_us);

  /// The vCPU is about to run.
  void begin_share(double now_us);

  /// It has come out: for how long it must rest now, microseconds. 0: its share is not used up.
  [[nodiscard]] double rest_us(double now_us);

private:
  void arm(double us);

  static constexpr double kPeriodUs = 10'000;
  std::uint32_t percent_ = 0; ///< 0: not throttled
  double until_us_ = 0;
  double share_began_us_ = -std::numeric_limits<double>::infinity();
  bool has_timer_ = false;
  timer_t timer_{};
};

} // namespace reveille::vmm
