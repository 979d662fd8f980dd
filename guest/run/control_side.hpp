// CPU 0 as the control CPU: bringing the others up, and serving those who come late.
#pragma once

#include "core/driver.hpp"
#include "guest/smp/control_role.hpp"

namespace reveille::guest::run {

class ControlSide {
public:
  /// smp::seats and smp::kicks are set.
  ControlSide(smp::PerCpu &me, abi::GuestReport &report)
      : me_(me), report_(report), env_(me, *smp::kicks), driver_(env_, smp::settings, smp::seats) {}

  /// Brings every AP up, and `cycles` - 1 times down and up again. Comes back when every AP is
  /// decided.
  void run(std::uint32_t cycles);
  /// Serves arrivals, for ever.
  [[noreturn]] void serve();

private:
  smp::PerCpu &me_;
  abi::GuestReport &report_;
  smp::CpEnvironment env_;
  core::Driver<smp::CpEnvironment> driver_;
};

} // namespace reveille::guest::run
