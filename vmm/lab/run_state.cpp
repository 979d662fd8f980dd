#include "vmm/lab/run_state.hpp"

#include <algorithm>

namespace reveille::vmm {

namespace {

constexpr std::ptrdiff_t kMostCrashes = 16; // of one CPU: twice the attempts that it may have in a cycle

} // namespace

void RunState::note_zero() {
  {
    const std::lock_guard lock(mutex_);
    if (!zero_us_)
      zero_us_ = now_us();
  }
  tell();
}

std::optional<double> RunState::zero_us() const {
  const std::lock_guard lock(mutex_);
  return zero_us_;
}

void RunState::note_decided() {
  decided_ = true;
  tell();
}

void RunState::note_refused() {
  refused_ = true;
  tell();
}

bool RunState::note_crash(CrashEvidence evidence) {
  {
    // A guest may panic as often as it likes, and name any attempt: one piece of evidence for
    // each is enough, and so are the last few.
    const std::lock_guard lock(mutex_);
    const auto of_cpu = [&](const CrashEvidence &known) { return known.cpu == evidence.cpu; };
    const auto is_known = [&](const CrashEvidence &known) {
      return of_cpu(known) && known.attempt == evidence.attempt;
    };
    if (std::any_of(crashes_.begin(), crashes_.end(), is_known))
      return false;
    if (std::count_if(crashes_.begin(), crashes_.end(), of_cpu) == kMostCrashes)
      crashes_.erase(std::find_if(crashes_.begin(), crashes_.end(), of_cpu));
    crashes_.push_back(std::move(evidence));
  }
  tell();
  return true;
}

std::vector<CrashEvidence> RunState::crashes() const {
  const std::lock_guard lock(mutex_);
  return crashes_;
}

bool RunState::crashed(CpuIndex cpu, std::optional<std::uint32_t> attempt) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(crashes_.begin(), crashes_.end(), [&](const CrashEvidence &c) {
    return c.cpu == cpu && c.attempt == attempt.value_or(c.attempt);
  });
}

void RunState::wait_for_news(std::chrono::microseconds longest) {
  std::unique_lock lock(mutex_);
  news_cv_.wait_for(lock, longest, [this] { return news_; });
  news_ = false;
}

void RunState::tell() {
  {
    const std::lock_guard lock(mutex_);
    news_ = true;
  }
  news_cv_.notify_one();
}

} // namespace reveille::vmm
