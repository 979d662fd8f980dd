// One CPU's life under its faults, told by the rules of the design.
#pragma once

#include "tests/explore/oracle.hpp"
#include "tests/explore/way.hpp"

#include <optional>

namespace reveille::explore {

/// What a bounded hold for longer than a turn costs. It may cost nothing when the control side is
/// held as well, and looks only when the AP has arrived.
struct Luck {
  bool expires_in_turn = true;  ///< the attempt
  bool expires_when_up = true;  ///< the way down: it has not passed before that begins
  bool stop_comes_late = false; ///< the INIT of giving up: behind the end of the hold
};

class Life {
public:
  Life(const vmm::Scenario &scenario, vmm::CpuIndex cpu, Luck luck);

  [[nodiscard]] Fate live();

private:
  enum class Passed : std::uint8_t { kOn, kCrashed, kReset, kGivenUp, kStepFailed, kStays };

  /// Where an AP that was given up goes on from by itself, when no INIT stops it.
  struct Late {
    const Station *station;
    std::size_t next_fault;
    std::string owed; ///< when it was given up
    unsigned attempt;
    unsigned cycle;
  };

  [[nodiscard]] bool strikes(std::size_t fault, const Station &station) const;
  Passed pass(const Station &station, bool in_turn = true, std::size_t first_fault = 0);
  [[nodiscard]] bool expires(const vmm::FaultSpec &hold, const Station &station) const;
  bool come_up();
  bool climb();
  bool pass_control(const Station &station);
  bool stay_up();
  bool go_down(std::size_t first_station);
  bool settle(Passed passed, const Station &station, const std::string &owed);
  void roll_back(const Station &step);
  void give_up(const Station &station, const std::string &owed);
  void go_on_late();

  const vmm::Scenario &scenario_;
  vmm::CpuIndex cpu_;
  Luck luck_;
  std::vector<unsigned> left_; ///< firings, by fault
  unsigned cycle_ = 1;
  unsigned attempt_ = 1;
  unsigned most_attempts_ = 0;
  unsigned unproven_ = 0;       ///< claimed attempts that nothing has proven over
  double turn_ms_ = 0;          ///< for how long it was held in this turn
  double carried_ms_ = 0;       ///< and is still, when its next attempt begins
  bool frozen_ = false;         ///< for ever
  std::size_t given_up_in_ = 0; ///< the fault that holds it then
  std::optional<Late> late_;
  std::string outcome_ = "online";
};

} // namespace reveille::explore
