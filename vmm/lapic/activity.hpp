// What a CPU is to INIT, SIPI and HLT.
#pragma once

#include "vmm/lapic/inbox.hpp"

#include <cstdint>
#include <optional>

namespace reveille::vmm::lapic {

/// Whether a CPU runs, or what it waits for (SDM 3, 9.4.3 "MP Initialization Protocol Algorithm for MP
/// Systems", 11.6.1 on INIT and start-up). Its own thread.
class Activity {
public:
  enum class State : std::uint8_t { kActive, kHalted, kWaitsForInit, kWaitsForSipi };

  /// What its registers must be made to be.
  struct Change {
    bool reset = false;                ///< as after an INIT
    std::optional<std::uint8_t> start; ///< behind it: at this page, in real mode
  };

  /// The BSP starts by itself, and behind an INIT too; all others wait.
  explicit Activity(bool is_bsp) : is_bsp_(is_bsp), state_(is_bsp ? State::kActive : State::kWaitsForInit) {}

  [[nodiscard]] Change take(const Mail &mail) {
    Change change;
    if (mail.init) {
      change.reset = true;
      state_ = is_bsp_ ? State::kActive : State::kWaitsForSipi;
    }
    if (mail.startup && state_ == State::kWaitsForSipi) { // "ignored" in any other
      change.start = mail.startup;
      state_ = State::kActive;
    }
    return change;
  }

  [[nodiscard]] State state() const { return state_; }
  void set(State state) { state_ = state; }

private:
  bool is_bsp_;
  State state_;
};

} // namespace reveille::vmm::lapic
