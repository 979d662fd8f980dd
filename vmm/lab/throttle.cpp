#include "vmm/lab/throttle.hpp"

#include "vmm/kvm/kick_signal.hpp"

#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace reveille::vmm {

Throttle::~Throttle() {
  if (has_timer_)
    timer_delete(timer_);
}

void Throttle::set(std::uint32_t percent, double duration_ms, double now_us) {
  percent_ = percent;
  until_us_ = duration_ms > 0 ? now_us + duration_ms * 1000 : std::numeric_limits<double>::infinity();
  share_began_us_ = -std::numeric_limits<double>::infinity();
  if (has_timer_)
    return;
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kick_signal();
  event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
  has_timer_ = timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
  if (!has_timer_)
    spdlog::error("cannot throttle a vCPU: no timer: {}", std::strerror(errno));
}

void Throttle::arm(double us) {
  itimerspec spec = {};
  spec.it_value.tv_nsec = static_cast<long>(us * 1000);
  spec.it_interval.tv_nsec = 1'000'000; // again, should it have come between two runs
  timer_settime(timer_, 0, &spec, nullptr);
}

void Throttle::begin_share(double now_us) {
  if (percent_ == 0)
    return;
  if (now_us >= until_us_) {
    percent_ = 0;
    if (has_timer_) {
      const itimerspec off = {};
      timer_settime(timer_, 0, &off, nullptr);
    }
    return;
  }
  if (now_us - share_began_us_ < kPeriodUs || !has_timer_)
    return;
  share_began_us_ = now_us;
  arm(kPeriodUs * percent_ / 100);
}

double Throttle::rest_us(double now_us) {
  if (percent_ == 0 || now_us - share_began_us_ < kPeriodUs * percent_ / 100)
    return 0;
  const double rest = share_began_us_ + kPeriodUs - now_us;
  share_began_us_ = -std::numeric_limits<double>::infinity();
  return rest > 0 ? rest : 0;
}

} // namespace reveille::vmm
