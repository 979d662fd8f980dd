#include "vmm/lab/deliveries.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace reveille::vmm {

void Deliveries::send(const Parcel &sent, CpuIndex sender, double now_us) {
  const SyncView sync = machine_.control().sync(sent.to);
  for (const Parcel &parcel : courier_.route(sent, sender, {sync.word, {sync.ordinal, sync.cycle}}, now_us)) {
    if (parcel.after_ms > 0) {
      const std::lock_guard lock(mutex_);
      later_.push_back({now_us + parcel.after_ms * 1000, parcel});
    } else {
      deliver(parcel);
    }
  }
}

std::optional<double> Deliveries::deliver_due(double now_us) {
  std::vector<Later> due;
  std::optional<double> next;
  {
    const std::lock_guard lock(mutex_);
    const auto first = std::stable_partition(later_.begin(), later_.end(),
                                             [now_us](const Later &each) { return each.due_us > now_us; });
    due.assign(first, later_.end());
    later_.erase(first, later_.end());
    for (const Later &each : later_)
      next = std::min(next.value_or(each.due_us), each.due_us);
  }
  for (const Later &each : due)
    deliver(each.parcel);
  return next;
}

bool Deliveries::any_late() const {
  const std::lock_guard lock(mutex_);
  return !later_.empty();
}

/// An INIT to a CPU that is up is the end of what it was.
void Deliveries::deliver(const Parcel &parcel) {
  if (!machine_.exists(parcel.to))
    return; // to nobody
  const abi::Word word = machine_.control().word(parcel.to);
  const bool was_up = parcel.is_init && (parcel.to == 0 || word.state == abi::State::kActive);
  const Result<void> sent =
      parcel.is_init ? machine_.bus().init(parcel.to) : machine_.bus().startup(parcel.to, parcel.vector);
  if (!sent)
    spdlog::error("cpu {}: {}", parcel.to, sent.error().message);
  if (was_up)
    crashed_(parcel.to, "an INIT, when it was up");
}

} // namespace reveille::vmm
