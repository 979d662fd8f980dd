// A control CPU other than CPU 0: it brings one AP up through one attempt, under a lease that it
// renews. CPU 0 leaves APs to it, and takes them back; see core/lease.hpp for who has what when.
#pragma once

#include "core/lease.hpp"
#include "core/seat.hpp"

#include <algorithm>
#include <span>

namespace reveille::core {

/// What may not be done by two control CPUs at once, and so is CPU 0's.
struct Exclusive {
  bool prepare = false;
  bool starting = false;
  bool online = false;

  [[nodiscard]] bool has(Section section) const {
    return section == Section::kStarting ? starting : section == Section::kOnline && online;
  }
};

/// Whether each section has a step that may not run on several CPUs at once.
template <Environment E> [[nodiscard]] Exclusive exclusive_sections(E &env) {
  const auto has_one = [&](Section section) {
    for (unsigned i = 0; i < env.step_count(section); ++i)
      if (!StepInfo(env.step_info(section, i)).concurrent)
        return true;
    return false;
  };
  return {has_one(Section::kPrepare), has_one(Section::kStarting), has_one(Section::kOnline)};
}

/// Does what the lease of the CPU that calls asks for. Comes back when it has given the AP back,
/// or let go of it.
template <CpEnvironment E> class Delegate {
public:
  Delegate(E &env, const Settings &settings, std::span<Seat<E>> seats)
      : env_(env), settings_(settings), seats_(seats) {}

  void serve() {
    HeldLease lease(env_.lease(env_.cpu()));
    // Fenced before this CPU has come to look, or not a lease on any AP.
    if (!lease.is_held() || lease.child() >= seats_.size()) {
      lease.let_go();
      announce_back();
      return;
    }
    Seat<E> &seat = seats_[lease.child()];
    if (!drive(lease, seat) || !lease.give_back())
      lease.let_go();
    announce_back();
  }

private:
  /// False: shut out. What has come of it so far is in the seat in any case.
  bool drive(HeldLease<std::remove_reference_t<decltype(std::declval<E &>().lease(0))>> &lease,
             Seat<E> &seat) {
    const Exclusive exclusive = exclusive_sections(env_);
    if (!lease.renew())
      return false;
    Outcome outcome = seat.launched ? seat.control.launch(env_) : seat.control.kick(env_);
    for (;;) {
      if (outcome == Outcome::kAtGate && !exclusive.has(seat.control.section()))
        outcome = seat.control.pass(env_);
      if (outcome != Outcome::kTurn && outcome != Outcome::kNothing) {
        seat.outcome = outcome;
        return true;
      }
      const std::uint64_t now = env_.now();
      if (outcome == Outcome::kTurn)
        turn_ends_ = now + settings_.timeout;
      const std::uint64_t look_at = std::min(turn_ends_, now + settings_.timeout / kRenewals);
      env_.wait_until([&] { return seat.control.has_news(env_); }, look_at);
      if (!lease.renew())
        return false;
      outcome = seat.control.look(env_, settings_);
      if (outcome == Outcome::kNothing && env_.now() >= turn_ends_) {
        outcome = seat.control.expire(env_, settings_);
        if (outcome == Outcome::kNothing) // it has arrived at nothing that would end its turn
          turn_ends_ = env_.now() + settings_.timeout;
      }
    }
  }

  void announce_back() {
    if (env_.arrivals().raise(env_.cpu()))
      env_.wake(0);
  }

  /// How often a lease is renewed in the time after which it lapses.
  static constexpr unsigned kRenewals = 4;

  E &env_;
  const Settings &settings_;
  std::span<Seat<E>> seats_;
  std::uint64_t turn_ends_ = 0;
};

} // namespace reveille::core
