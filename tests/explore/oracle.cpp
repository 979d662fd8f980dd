#include "tests/explore/oracle.hpp"

#include "core/abi/event.hpp"
#include "tests/explore/catalogue.hpp"
#include "tests/explore/life.hpp"
#include "tests/explore/run.hpp"
#include "tests/explore/way.hpp"
#include "vmm/scenario/places.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace reveille::explore {

using vmm::Action;
using vmm::CpuIndex;
using vmm::FaultSpec;
using vmm::Observation;
using vmm::Scenario;

bool Prediction::admits(const vmm::CpuVerdict &cpu) const {
  const Fate fate{outcome(cpu), cpu.attempts, cpu.quarantined};
  return std::ranges::find(fates, fate) != fates.end() ||
         std::ranges::any_of(beginnings, [&](const std::string &b) { return fate.outcome.starts_with(b); });
}

std::string Prediction::text() const {
  std::vector<std::string> parts;
  for (const Fate &fate : fates)
    parts.push_back(fmt::format("{} after {} attempts, {} of them in quarantine", fate.outcome, fate.attempts,
                                fate.quarantined));
  for (const std::string &beginning : beginnings)
    parts.push_back(beginning + "...");
  return fmt::format("{}", fmt::join(parts, ", or "));
}

namespace {

bool is_timed(const FaultSpec &fault) { return std::holds_alternative<vmm::TimePlace>(fault.at.where); }

bool names(const FaultSpec &fault, CpuIndex cpu) { return std::ranges::binary_search(fault.cpus, cpu); }

/// Whether the control side may be held while this CPU is.
bool control_may_be_held(const Scenario &scenario, CpuIndex cpu) {
  return std::ranges::any_of(scenario.faults, [&](const FaultSpec &fault) {
    return !names(fault, cpu) && (names(fault, 0) || vmm::is_on_control_cpu(fault.at));
  });
}

/// Whether it may wait for others before it takes this one down: for the one that was left to
/// this one, in tree, or for one to which something is done too.
bool may_wait_before_down(const Scenario &scenario, CpuIndex cpu) {
  return scenario.bringup.cycles > 1 &&
         (scenario.bringup.strategy == abi::Strategy::kTree ||
          std::ranges::any_of(scenario.faults, [&](const FaultSpec &fault) { return !names(fault, cpu); }));
}

/// By every luck that it may have.
std::vector<Fate> all_fates(const Scenario &scenario, CpuIndex cpu) {
  std::vector<Fate> fates;
  const bool control_held = control_may_be_held(scenario, cpu);
  for (const bool in_turn : {true, false})
    for (const bool when_up : {true, false})
      for (const bool late_stop : {false, true}) {
        if (((!in_turn || late_stop) && !control_held) || (!when_up && !may_wait_before_down(scenario, cpu)))
          continue;
        const Fate fate = Life(scenario, cpu, {in_turn, when_up, late_stop}).live();
        if (std::ranges::find(fates, fate) == fates.end())
          fates.push_back(fate);
      }
  return fates;
}

/// Whoever has its tables shrugs it off, and who has none yet is not told by the simulated LAPIC. Not so a
/// stray SIPI: between the INIT and the SIPI of a kick it starts the AP on the wrong page.
bool is_harmless(const FaultSpec &fault) {
  return vmm::is_one_of(fault.action, {Action::kNmi, Action::kInterrupt, Action::kThrottle});
}

/// A strike by time finds a CPU wherever it is. What may come of it then depends on the action.
Prediction predict_timed(const Scenario &scenario, CpuIndex cpu) {
  Prediction prediction{{}, {"online"}};
  bool alone = true;
  bool comes_up = scenario.bringup.attempts > 1;
  for (const FaultSpec &fault : scenario.faults) {
    if (!names(fault, cpu))
      continue;
    alone = alone && is_timed(fault);
    comes_up = comes_up && fault.holds() && !(fault.action == Action::kFreeze && fault.endless());
    if (fault.action == Action::kCrash || fault.action == Action::kReset)
      prediction.beginnings.emplace_back("crash@");
    if (fault.action == Action::kFail)
      prediction.beginnings.emplace_back("error@");
    if (fault.action != Action::kDelay && !is_harmless(fault))
      prediction.beginnings.emplace_back("timeout@");
  }
  // One strike, and one more attempt in which nothing is done to it.
  if (scenario.faults.size() == 1 && scenario.bringup.cycles == 1 && alone && comes_up)
    prediction.beginnings = {"online"};
  return prediction;
}

/// A CPU whose word the host has written loses its next swap, and rests: it is lost, unless another attempt
/// is made. Whether its control CPU finds out is a matter of time; so is whether it looks before the CPU
/// does, and where it takes the word for an arrival lets it go on once more.
Prediction predict_written(const Scenario &scenario) {
  if (scenario.faults.size() > 1 || scenario.bringup.attempts > 1)
    return {{}, {"online", "lost@", "timeout@", "crash@", "error@"}};
  const FaultSpec &fault = scenario.faults[0];
  const auto at = std::ranges::find(way_up(), fault.at.text, &Station::name);
  const std::string owed = at != way_up().end() && !at->owed.empty() ? at->owed : "active";
  Prediction prediction{{{"lost@" + owed, 1, 0}, {"lost@" + owed, 1, 1}}, {}};
  if (fault.bits == kBits[1])
    prediction.fates.push_back({"online", 1, 0});
  return prediction;
}

/// Whether the CPU that brought this one up was struck while it was up itself: then this one's
/// turns begin anew when it is taken back.
bool changed_hands(const Scenario &scenario, const Observation &seen, CpuIndex cpu) {
  if (scenario.bringup.strategy != abi::Strategy::kTree)
    return false;
  if (may_reset_a_control_cpu(scenario))
    return true;
  return std::ranges::any_of(seen.cpus[0].events, [&](const abi::Event &event) {
    return event.kind == abi::EventKind::kDelegated && event.cpu == cpu &&
           std::ranges::any_of(seen.firings, [&](const vmm::Firing &firing) {
             return firing.vcpu == event.a && firing.cpu == event.a;
           });
  });
}

} // namespace

Prediction predict(const Scenario &scenario, const Observation &seen, CpuIndex cpu) {
  Prediction prediction;
  if (has_faulty_firmware(scenario, cpu)) {
    prediction.beginnings = {"online", "absent@", "lost@", "timeout@", "crash@", "error@"};
    return prediction;
  }
  if (has_faulty_delivery(scenario, cpu)) { // whatever comes of it, the others are none the worse
    prediction.beginnings = {"online", "timeout@", "crash@", "error@"};
    if (may_be_lost(scenario, seen, cpu) || stops_control_cpu(scenario) || has_written_word(scenario, cpu))
      prediction.beginnings.emplace_back("lost@");
    return prediction;
  }
  if (has_written_word(scenario, cpu))
    return predict_written(scenario);
  const bool timed = std::ranges::any_of(
      scenario.faults, [cpu](const FaultSpec &fault) { return is_timed(fault) && names(fault, cpu); });
  if (timed)
    prediction = predict_timed(scenario, cpu);
  else
    prediction.fates = all_fates(scenario, cpu);
  const bool is_struck = prediction.fates.size() != 1 || prediction.fates[0] != Fate{"online", 1, 0};
  if (stops_control_cpu(scenario) || (is_struck && changed_hands(scenario, seen, cpu)))
    prediction.beginnings = {"online", "timeout@", "crash@", "error@"};
  if (stops_control_cpu(scenario) || may_be_lost(scenario, seen, cpu))
    prediction.beginnings.emplace_back("lost@");
  return prediction;
}

} // namespace reveille::explore
