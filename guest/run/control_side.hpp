// CPU 0 as the control CPU: bringing the others up, and serving those who come late.
#pragma once

#include "core/driver.hpp"
#include "guest/smp/cp_environment.hpp"

#include <span>

namespace reveille::guest::run {

using Seat = core::Seat<smp::CpEnvironment>;

class ControlSide {
public:
  /// `seats`: one for each CPU that is to be brought up, CPU 0 included.
  ControlSide(smp::PerCpu &me, abi::GuestReport &report, std::span<Seat> seats)
      : me_(me), report_(report), env_(me, report.kicks), driver_(env_, smp::settings, seats) {}

  /// Comes back when every AP is decided.
  void bring_up();
  /// Serves arrivals, for ever.
  [[noreturn]] void serve();

private:
  smp::PerCpu &me_;
  abi::GuestReport &report_;
  smp::CpEnvironment env_;
  core::Driver<smp::CpEnvironment> driver_;
};

} // namespace reveille::guest::run
