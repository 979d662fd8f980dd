#include "vmm/faults/courier.hpp"

#include <algorithm>

namespace reveille::vmm {

using abi::State;
using abi::Word;

/// Of a CPU that has been given up an INIT is the one that stops it: a kick comes with a word of its
/// own. Source: the guest always sends INIT, SIPI, SIPI (SDM 3, 9.4.4.1 "Typical BSP Initialization
/// Sequence").
Delivery Courier::classify(const Parcel &sent, std::uint64_t word) {
  Kick &kick = kicks_[sent.to];
  if (!sent.is_init)
    return ++kick.sipis == 1 ? Delivery::kSipi : Delivery::kSipi2;
  const State state = Word::from(word).state;
  if (Word::is_valid(word) && (state == State::kAbandoned || state == State::kParked))
    return Delivery::kStop;
  kick = {};
  return Delivery::kInit;
}

std::vector<Parcel> Courier::route(const Parcel &sent, CpuIndex sender, const Addressee &addressee,
                                   double now_us) {
  if (sent.to >= kicks_.size())
    return {sent};
  const std::lock_guard lock(mutex_);
  const Delivery what = classify(sent, addressee.word);
  std::vector<Parcel> parcels = {sent};
  for (const Strike &each : faults_.at(sent.to, what, addressee.attempt)) {
    const auto firing = faults_.begin(each, sender, addressee.word, now_us);
    if (!firing)
      continue;
    strike(*each.spec, parcels);
    if (each.spec->action == Action::kEarlySipi)
      kicks_[sent.to].init_is_kept = true;
    faults_.end(*firing, HoldEnd::kDone, now_us);
  }
  if (what == Delivery::kSipi && kicks_[sent.to].init_is_kept) {
    kicks_[sent.to].init_is_kept = false;
    parcels.push_back({.to = sent.to, .is_init = true});
  }
  return parcels;
}

void Courier::strike(const FaultSpec &fault, std::vector<Parcel> &parcels) {
  switch (fault.action) {
  case Action::kDrop:
  case Action::kEarlySipi: // it comes when the SIPI has
    parcels.clear();
    return;
  case Action::kDuplicate:
    if (!parcels.empty())
      parcels.push_back(parcels.back());
    return;
  case Action::kLateInit: // a second one
    if (!parcels.empty()) {
      parcels.push_back(parcels.front());
      parcels.back().after_ms += fault.duration_ms;
    }
    return;
  default:
    break;
  }
  for (Parcel &parcel : parcels) {
    if (fault.action == Action::kRedirect)
      parcel.to = fault.to;
    if (fault.action == Action::kWrongVector)
      parcel.vector = fault.vector;
    if (fault.action == Action::kDelay)
      parcel.after_ms += fault.duration_ms;
  }
}

} // namespace reveille::vmm
